"""Facts and types that every room shares: what names and codes mean."""
