"""Photographs in, batches out: operations that generate code, fused, compiled, cached and threaded."""

from numba_course.pipeline.loader import Loader
from numba_course.pipeline.operations import (
    Brightness,
    CenterCrop,
    Contrast,
    Crop,
    Cutout,
    HorizontalFlip,
    Normalize,
    RandomCrop,
    RandomResizedCrop,
    Resize,
    ToLayout,
)
from numba_course.pipeline.pipeline import Pipeline, PipelineCompileError
from numba_course.pipeline.protocol import (
    AllocationQuery,
    Made,
    Operation,
    PipelineError,
    State,
    each,
    gather,
    image,
    move,
    point,
)
from numba_course.pipeline.runtime import uniform

__all__ = [
    "AllocationQuery",
    "Brightness",
    "CenterCrop",
    "Contrast",
    "Crop",
    "Cutout",
    "HorizontalFlip",
    "Loader",
    "Made",
    "Normalize",
    "Operation",
    "Pipeline",
    "PipelineCompileError",
    "PipelineError",
    "RandomCrop",
    "RandomResizedCrop",
    "Resize",
    "State",
    "ToLayout",
    "each",
    "gather",
    "image",
    "move",
    "point",
    "uniform",
]
