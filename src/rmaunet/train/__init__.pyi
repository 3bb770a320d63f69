from .loop import HowToTrain, TrainingError, train

__all__ = ["HowToTrain", "TrainingError", "train"]
