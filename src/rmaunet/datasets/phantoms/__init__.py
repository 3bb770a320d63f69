"""CTs to try things on: generated phantoms with a known truth, and one public scan."""
