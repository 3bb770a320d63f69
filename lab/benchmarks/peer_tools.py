"""One tool on one scan, in a process of its own; lab/benchmarks/peers.py starts these and puts them together.

    python lab/benchmarks/peer_tools.py TOOL SCAN OUT [--threads 2] [--calls 8]

Prints JSON: "outside" and "network" with wall and CPU seconds, how many calls of the network were computed and how many there
are, and the process's peak memory. Only the first calls of another tool's network are computed; the others return the
last result, and their time is the mean of the computed calls. Everything around the network does its whole work.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np


@dataclass
class Clock:
    """Wall and CPU seconds, added up."""

    wall: float = 0.0
    cpu: float = 0.0
    _began: list[tuple[float, float]] = field(default_factory=list)

    def __enter__(self) -> Clock:
        self._began.append((time.perf_counter(), time.process_time()))
        return self

    def __exit__(self, *_: object) -> None:
        wall, cpu = self._began.pop()
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu

    def less(self, other: Clock) -> dict[str, float]:
        return {"wall": self.wall - other.wall, "cpu": self.cpu - other.cpu}

    def times(self, factor: float) -> dict[str, float]:
        return {"wall": self.wall * factor, "cpu": self.cpu * factor}


class FirstCalls:
    """A network whose first calls are computed and timed, and whose later ones repeat the last answer."""

    def __init__(self, network: Callable[..., Any], calls: int) -> None:
        self.network, self.calls = network, calls
        self.computed = self.asked = 0
        self.clock = Clock()
        self._last: Any = None

    def __call__(self, images: Any) -> Any:
        self.asked += 1
        if self.computed < self.calls or self._last.shape[0] != images.shape[0]:
            with self.clock:
                self._last = self.network(images)
            self.computed += 1
        return self._last.clone() if hasattr(self._last, "clone") else self._last.copy()

    def result(self, whole: Clock) -> dict[str, Any]:
        """``whole`` is the time of everything, with the calls that were computed in it."""
        return {
            "outside": whole.less(self.clock),
            "network": self.clock.times(self.asked / self.computed),
            "computed_calls": self.computed,
            "calls": self.asked,
        }


class Replayed:
    """A runtime that answers at once what another one answered before, slab by slab."""

    name, precision, device = "replayed", "float32", "cpu"

    def __init__(self) -> None:
        self.slabs: list[Any] = []
        self.answers: list[Any] = []
        self.place = 0

    def recording(self, runtime: Any) -> Callable[..., Any]:
        def call(slab: Any) -> Any:
            self.slabs.append(slab)
            self.answers.append(runtime(slab))
            return self.answers[-1]

        return call

    def __call__(self, slab: Any) -> Any:
        self.place += 1
        return self.answers[self.place - 1]


def rmaunet(scan: Path, out: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Read, predict, write. Preparing and restoring overlap with the network, so the CPU time of everything else is that of
    a second pass in which the answers are known already, and the network's that of its calls alone. A network of base 64
    with random weights is timed on the slices that ``fast`` computes."""
    from rmaunet.io import read_scan, write_mask
    from rmaunet.networks.build import build_network
    from rmaunet.predict import Predictor, Weights, load_weights
    from rmaunet.predict.choose_runtime import choose_runtime

    weights = load_weights("fast", at_once=False)
    runtime = choose_runtime(weights, device="cpu", threads=options.threads).runtime
    card, every = weights.card, "all" in options.tool
    kept = Replayed()

    def segment(computing: Any) -> Clock:
        with Clock() as whole:
            read = read_scan(scan)
            predictor = Predictor.from_runtime(computing, card.preprocessing, card.postprocessing, all_slices=every)
            write_mask(predictor.predict(read.volume).mask, out / "rmaunet.nii.gz", like=read)
        return whole

    runtime(
        np.zeros((4, card.preprocessing.channels, 256, 256), np.float32)
    )  # compiled, as a second scan of a folder finds it
    recording = kept.recording(runtime)
    overlapped = segment(recording)
    outside = segment(kept)
    if "base 64" in options.tool:
        wide = replace(card, name="wide", sha256="", network=replace(card.network, base=64))
        state = build_network(wide.network, in_channels=card.preprocessing.channels).state_dict()
        asked: Any = "bfloat16" if "bfloat16" in options.tool else "auto"
        runtime = choose_runtime(
            Weights(wide, dict(state)), device="cpu", precision=asked, threads=options.threads
        ).runtime
    few = kept.slabs if "base 64" not in options.tool else kept.slabs[: options.calls]
    runtime(few[0])
    clock = Clock()
    for slab in few:
        with clock:
            runtime(slab)
    found = {"outside": outside.times(1), "network": clock.times(len(kept.slabs) / len(few))}
    found |= {"computed_calls": len(few), "calls": len(kept.slabs)}
    return found if "base 64" in options.tool else found | {"overlapped_wall": overlapped.wall}


def nnunet_plans(side: int, spacing_mm: list[float]) -> dict[str, Any]:
    """Plans of nnU-Net's default planner for CT slices of 512 x 512 (8 stages), with fewer stages for smaller ones."""
    stages = int(np.log2(side / 4)) + 1
    unet = {
        "n_stages": stages,
        "features_per_stage": [min(512, 32 * 2**i) for i in range(stages)],
        "conv_op": "torch.nn.modules.conv.Conv2d",
        "kernel_sizes": [[3, 3]] * stages,
        "strides": [[1, 1]] + [[2, 2]] * (stages - 1),
        "n_conv_per_stage": [2] * stages,
        "n_conv_per_stage_decoder": [2] * (stages - 1),
        "conv_bias": True,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm2d",
        "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    }
    resampling = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
    plan = {
        "data_identifier": "nnUNetPlans_2d",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 12,
        "patch_size": [side, side],
        "median_image_size_in_voxels": [side, side],
        "spacing": spacing_mm[1:],
        "normalization_schemes": ["CTNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": resampling,
        "resampling_fn_seg_kwargs": resampling | {"is_seg": True, "order": 1},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": resampling | {"order": 1},
        "architecture": {
            "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
            "arch_kwargs": unet,
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        },
        "batch_dice": True,
    }
    window = {
        "mean": 100.0,
        "std": 40.0,
        "percentile_00_5": -20.0,
        "percentile_99_5": 200.0,
        "max": 250.0,
        "min": -200.0,
    }
    return {
        "dataset_name": "Dataset001_Made",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": spacing_mm,
        "original_median_shape_after_transp": [300, side, side],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {"2d": plan},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": window | {"median": 100.0}},
    }


def nnunet(scan: Path, out: Path, options: argparse.Namespace) -> dict[str, Any]:
    """nnU-Net v2, 2d, random weights, no mirroring: preprocess, predict, export through its own classes."""
    import SimpleITK as sitk  # noqa: N813
    import torch
    from nnunetv2.inference.export_prediction import export_prediction_from_logits
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    image = sitk.ReadImage(str(scan))
    dx, dy, dz = image.GetSpacing()
    scale = 1.15 if "resamples" in options.tool else 1.0
    plans = PlansManager(nnunet_plans(image.GetSize()[0], [dz, dy * scale, dx * scale]))
    configuration = plans.get_configuration("2d")
    data_set = {
        "labels": {"background": 0, "liver": 1, "tumor": 2},
        "channel_names": {"0": "CT"},
        "file_ending": ".nii.gz",
    }
    kwargs = configuration.network_arch_init_kwargs, configuration.network_arch_init_kwargs_req_import
    made = get_network_from_plans(configuration.network_arch_class_name, *kwargs, 1, 3, deep_supervision=False).eval()
    first = FirstCalls(made, options.calls)

    class Network(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return first(x)

    predictor = nnUNetPredictor(use_mirroring=False, device=torch.device("cpu"), allow_tqdm=False)
    predictor.manual_initialization(Network(), plans, configuration, [{}], data_set, "none", None)
    with Clock() as whole:
        processor = configuration.preprocessor_class(verbose=False)
        data, _, properties = processor.run_case([str(scan)], None, plans, configuration, data_set)
        logits = predictor.predict_logits_from_preprocessed_data(torch.from_numpy(np.asarray(data)))
        export_prediction_from_logits(
            logits, properties, configuration, plans, data_set, str(out / "nnunet"), num_threads_torch=options.threads
        )
    return first.result(whole)


def monai(scan: Path, out: Path, options: argparse.Namespace) -> dict[str, Any]:
    """MONAI: 3-D BasicUNet of random weights, 1.5 mm, windows of 96 at overlap 0.25, back to the scan's grid."""
    import torch
    from monai import transforms as mt
    from monai.inferers import sliding_window_inference
    from monai.networks.nets import BasicUNet

    first = FirstCalls(BasicUNet(spatial_dims=3, in_channels=1, out_channels=3).eval(), options.calls)
    before = mt.Compose(
        [
            mt.LoadImaged("image", ensure_channel_first=True),
            mt.Orientationd("image", axcodes="RAS"),
            mt.Spacingd("image", pixdim=(1.5, 1.5, 1.5), mode="bilinear"),
            mt.ScaleIntensityRanged("image", -200, 200, 0, 1, clip=True),
        ]
    )
    after = mt.Compose(
        [
            mt.Invertd("pred", transform=before, orig_keys="image", nearest_interp=False),
            mt.AsDiscreted("pred", argmax=True),
            mt.SaveImaged("pred", output_dir=str(out), print_log=False, output_dtype=np.uint8),
        ]
    )
    with Clock() as whole, torch.inference_mode():
        case = before({"image": str(scan)})
        case["pred"] = sliding_window_inference(case["image"][None], (96, 96, 96), 1, first, overlap=0.25)[0]
        after(case)
    return first.result(whole)


def totalsegmentator(scan: Path, out: Path, options: argparse.Namespace) -> dict[str, Any]:
    """TotalSegmentator without its network, whose weights are a download: to 1.5 mm, and a mask back to the scan's grid."""
    import nibabel
    from totalsegmentator.resampling import change_spacing

    with Clock() as whole:
        image = nibabel.load(scan)
        small = change_spacing(image, [1.5] * 3, order=1, dtype=np.int32)
        middle = np.zeros(small.shape, np.uint8)
        middle[tuple(slice(n // 4, n // 2) for n in small.shape)] = 1
        mask = nibabel.Nifti1Image(middle, small.affine)
        back = change_spacing(
            mask, [1.5] * 3, image.shape, order=1, dtype=np.uint8, force_affine=image.affine, crop_resample=True
        )
        nibabel.save(back, out / "totalsegmentator.nii.gz")
    return {"outside": whole.times(1)}


TOOLS: dict[str, Callable[[Path, Path, argparse.Namespace], dict[str, Any]]] = {
    "rmaunet": rmaunet,
    "rmaunet, all slices": rmaunet,
    "rmaunet, base 64": rmaunet,
    "rmaunet, all slices, base 64": rmaunet,
    "rmaunet, base 64 in bfloat16": rmaunet,
    "rmaunet, all slices, base 64 in bfloat16": rmaunet,
    "nnU-Net 2d": nnunet,
    "nnU-Net 2d, resamples": nnunet,
    "MONAI BasicUNet": monai,
    "TotalSegmentator, no network": totalsegmentator,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", choices=sorted(TOOLS))
    parser.add_argument("scan", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--calls", type=int, default=8)
    options = parser.parse_args()
    if not options.tool.startswith("rmaunet"):
        import torch

        torch.set_num_threads(options.threads)
    found = TOOLS[options.tool](options.scan, options.out, options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("\n" + json.dumps({"tool": options.tool, **found, "peak_mib": peak}))


if __name__ == "__main__":
    main()
