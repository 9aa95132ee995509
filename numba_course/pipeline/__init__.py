"""Photographs in, batches out: operations that generate code, fused, compiled, cached and threaded."""

from numba_course.pipeline.loader import Loader
from numba_course.pipeline.operations import (
    Brightness,
    CenterCrop,
    Contrast,
    Crop,
    HorizontalFlip,
    Normalize,
    RandomCrop,
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
    "HorizontalFlip",
    "Loader",
    "Made",
    "Normalize",
    "Operation",
    "Pipeline",
    "PipelineCompileError",
    "PipelineError",
    "RandomCrop",
    "Resize",
    "State",
    "ToLayout",
    "gather",
    "image",
    "move",
    "point",
    "uniform",
]
