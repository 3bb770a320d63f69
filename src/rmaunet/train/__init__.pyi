from .loop import TrainingError, train

__all__ = ["TrainingError", "train"]
