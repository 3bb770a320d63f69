from .api import compare, evaluate, measure, read_mask, read_scan, segment, write_mask
from .cohort.result import Result
from .core.errors import RmaunetError
from .core.volume.mask import Mask
from .io.scan import Scan
from .measurement.measurement import Measurement
from .predict.predictor import Predictor
from .predict.weights import Weights, load_weights

__version__: str

__all__ = [
    "Mask",
    "Measurement",
    "Predictor",
    "Result",
    "RmaunetError",
    "Scan",
    "Weights",
    "compare",
    "evaluate",
    "load_weights",
    "measure",
    "read_mask",
    "read_scan",
    "segment",
    "write_mask",
]
