from host_bridge.wire.v1 import error_pb2 as _error_pb2
from host_bridge.wire.v1 import image_pb2 as _image_pb2
from host_bridge.wire.v1 import knob_pb2 as _knob_pb2
from host_bridge.wire.v1 import plate_pb2 as _plate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Quality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUALITY_UNSPECIFIED: _ClassVar[Quality]
    DRAFT: _ClassVar[Quality]
    FULL: _ClassVar[Quality]

class RegistrationMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REGISTRATION_UNSPECIFIED: _ClassVar[RegistrationMode]
    REGISTRATION_OFF: _ClassVar[RegistrationMode]
    REGISTRATION_AUTO: _ClassVar[RegistrationMode]
    REGISTRATION_LOCKED: _ClassVar[RegistrationMode]

class PhotometricMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PHOTOMETRIC_UNSPECIFIED: _ClassVar[PhotometricMode]
    PHOTOMETRIC_OFF: _ClassVar[PhotometricMode]
    PHOTOMETRIC_AUTO: _ClassVar[PhotometricMode]

class ShadowColor(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHADOW_COLOR_UNSPECIFIED: _ClassVar[ShadowColor]
    SHADOW_GREY: _ClassVar[ShadowColor]
    SHADOW_RGB: _ClassVar[ShadowColor]

class InputAlpha(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INPUT_ALPHA_UNSPECIFIED: _ClassVar[InputAlpha]
    INPUT_ALPHA_IGNORE: _ClassVar[InputAlpha]
    INPUT_ALPHA_GARBAGE: _ClassVar[InputAlpha]

class Precision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRECISION_UNSPECIFIED: _ClassVar[Precision]
    PRECISION_AUTO: _ClassVar[Precision]
    PRECISION_FLOAT: _ClassVar[Precision]
    PRECISION_HALF: _ClassVar[Precision]

class Depth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEPTH_UNSPECIFIED: _ClassVar[Depth]
    DEPTH_AUTO: _ClassVar[Depth]
    DEPTH_HALF: _ClassVar[Depth]
    DEPTH_FLOAT: _ClassVar[Depth]

class Layer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LAYER_UNSPECIFIED: _ClassVar[Layer]
    SHADOW: _ClassVar[Layer]
    RESIDUAL: _ClassVar[Layer]
    SHADOW_RATIO: _ClassVar[Layer]
    UNCERTAINTY: _ClassVar[Layer]
    DIFFERENCE: _ClassVar[Layer]
    VALIDITY: _ClassVar[Layer]
    FG: _ClassVar[Layer]
    CLEANPLATE: _ClassVar[Layer]
QUALITY_UNSPECIFIED: Quality
DRAFT: Quality
FULL: Quality
REGISTRATION_UNSPECIFIED: RegistrationMode
REGISTRATION_OFF: RegistrationMode
REGISTRATION_AUTO: RegistrationMode
REGISTRATION_LOCKED: RegistrationMode
PHOTOMETRIC_UNSPECIFIED: PhotometricMode
PHOTOMETRIC_OFF: PhotometricMode
PHOTOMETRIC_AUTO: PhotometricMode
SHADOW_COLOR_UNSPECIFIED: ShadowColor
SHADOW_GREY: ShadowColor
SHADOW_RGB: ShadowColor
INPUT_ALPHA_UNSPECIFIED: InputAlpha
INPUT_ALPHA_IGNORE: InputAlpha
INPUT_ALPHA_GARBAGE: InputAlpha
PRECISION_UNSPECIFIED: Precision
PRECISION_AUTO: Precision
PRECISION_FLOAT: Precision
PRECISION_HALF: Precision
DEPTH_UNSPECIFIED: Depth
DEPTH_AUTO: Depth
DEPTH_HALF: Depth
DEPTH_FLOAT: Depth
LAYER_UNSPECIFIED: Layer
SHADOW: Layer
RESIDUAL: Layer
SHADOW_RATIO: Layer
UNCERTAINTY: Layer
DIFFERENCE: Layer
VALIDITY: Layer
FG: Layer
CLEANPLATE: Layer

class Knobs(_message.Message):
    __slots__ = ("model", "quality", "registration", "photometric", "sensitivity", "black_point", "white_point", "edge_shift", "shadow_gain", "shadow_color", "residual_gain", "despill", "temporal_window", "hint_strength", "input_alpha", "mix", "precision", "depth")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    PHOTOMETRIC_FIELD_NUMBER: _ClassVar[int]
    SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    BLACK_POINT_FIELD_NUMBER: _ClassVar[int]
    WHITE_POINT_FIELD_NUMBER: _ClassVar[int]
    EDGE_SHIFT_FIELD_NUMBER: _ClassVar[int]
    SHADOW_GAIN_FIELD_NUMBER: _ClassVar[int]
    SHADOW_COLOR_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_GAIN_FIELD_NUMBER: _ClassVar[int]
    DESPILL_FIELD_NUMBER: _ClassVar[int]
    TEMPORAL_WINDOW_FIELD_NUMBER: _ClassVar[int]
    HINT_STRENGTH_FIELD_NUMBER: _ClassVar[int]
    INPUT_ALPHA_FIELD_NUMBER: _ClassVar[int]
    MIX_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    model: str
    quality: Quality
    registration: RegistrationMode
    photometric: PhotometricMode
    sensitivity: float
    black_point: float
    white_point: float
    edge_shift: float
    shadow_gain: float
    shadow_color: ShadowColor
    residual_gain: float
    despill: float
    temporal_window: int
    hint_strength: float
    input_alpha: InputAlpha
    mix: float
    precision: Precision
    depth: Depth
    def __init__(self, model: _Optional[str] = ..., quality: _Optional[_Union[Quality, str]] = ..., registration: _Optional[_Union[RegistrationMode, str]] = ..., photometric: _Optional[_Union[PhotometricMode, str]] = ..., sensitivity: _Optional[float] = ..., black_point: _Optional[float] = ..., white_point: _Optional[float] = ..., edge_shift: _Optional[float] = ..., shadow_gain: _Optional[float] = ..., shadow_color: _Optional[_Union[ShadowColor, str]] = ..., residual_gain: _Optional[float] = ..., despill: _Optional[float] = ..., temporal_window: _Optional[int] = ..., hint_strength: _Optional[float] = ..., input_alpha: _Optional[_Union[InputAlpha, str]] = ..., mix: _Optional[float] = ..., precision: _Optional[_Union[Precision, str]] = ..., depth: _Optional[_Union[Depth, str]] = ...) -> None: ...

class MatteSetup(_message.Message):
    __slots__ = ("job_id", "plate", "knobs", "color", "layers", "device")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PLATE_FIELD_NUMBER: _ClassVar[int]
    KNOBS_FIELD_NUMBER: _ClassVar[int]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    plate: _plate_pb2.PlateManifest
    knobs: Knobs
    color: _image_pb2.ColorSetup
    layers: _containers.RepeatedScalarFieldContainer[Layer]
    device: str
    def __init__(self, job_id: _Optional[str] = ..., plate: _Optional[_Union[_plate_pb2.PlateManifest, _Mapping]] = ..., knobs: _Optional[_Union[Knobs, _Mapping]] = ..., color: _Optional[_Union[_image_pb2.ColorSetup, _Mapping]] = ..., layers: _Optional[_Iterable[_Union[Layer, str]]] = ..., device: _Optional[str] = ...) -> None: ...

class MatteFrame(_message.Message):
    __slots__ = ("frame", "image", "neighbours", "garbage", "core", "hint", "key")
    class Neighbour(_message.Message):
        __slots__ = ("frame", "image")
        FRAME_FIELD_NUMBER: _ClassVar[int]
        IMAGE_FIELD_NUMBER: _ClassVar[int]
        frame: int
        image: _image_pb2.ImageRef
        def __init__(self, frame: _Optional[int] = ..., image: _Optional[_Union[_image_pb2.ImageRef, _Mapping]] = ...) -> None: ...
    FRAME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOURS_FIELD_NUMBER: _ClassVar[int]
    GARBAGE_FIELD_NUMBER: _ClassVar[int]
    CORE_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    frame: int
    image: _image_pb2.ImageRef
    neighbours: _containers.RepeatedCompositeFieldContainer[MatteFrame.Neighbour]
    garbage: _image_pb2.ImageRef
    core: _image_pb2.ImageRef
    hint: _image_pb2.ImageRef
    key: str
    def __init__(self, frame: _Optional[int] = ..., image: _Optional[_Union[_image_pb2.ImageRef, _Mapping]] = ..., neighbours: _Optional[_Iterable[_Union[MatteFrame.Neighbour, _Mapping]]] = ..., garbage: _Optional[_Union[_image_pb2.ImageRef, _Mapping]] = ..., core: _Optional[_Union[_image_pb2.ImageRef, _Mapping]] = ..., hint: _Optional[_Union[_image_pb2.ImageRef, _Mapping]] = ..., key: _Optional[str] = ...) -> None: ...

class MatteRequest(_message.Message):
    __slots__ = ("setup", "frame")
    SETUP_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    setup: MatteSetup
    frame: MatteFrame
    def __init__(self, setup: _Optional[_Union[MatteSetup, _Mapping]] = ..., frame: _Optional[_Union[MatteFrame, _Mapping]] = ...) -> None: ...

class FrameProgress(_message.Message):
    __slots__ = ("frame", "stage", "done")
    FRAME_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    frame: int
    stage: str
    done: float
    def __init__(self, frame: _Optional[int] = ..., stage: _Optional[str] = ..., done: _Optional[float] = ...) -> None: ...

class FrameChunk(_message.Message):
    __slots__ = ("frame", "data")
    FRAME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    frame: int
    data: bytes
    def __init__(self, frame: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class FrameReport(_message.Message):
    __slots__ = ("locked_off", "residual_median_px", "residual_p95_px", "inliers", "gain", "offset", "photometric_confidence", "nonfinite_frame", "nonfinite_plate", "valid_share", "foreground_share", "residual_layer_median", "residual_layer_p999", "warnings", "seconds", "tiles")
    class SecondsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    LOCKED_OFF_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_MEDIAN_PX_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_P95_PX_FIELD_NUMBER: _ClassVar[int]
    INLIERS_FIELD_NUMBER: _ClassVar[int]
    GAIN_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    PHOTOMETRIC_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    NONFINITE_FRAME_FIELD_NUMBER: _ClassVar[int]
    NONFINITE_PLATE_FIELD_NUMBER: _ClassVar[int]
    VALID_SHARE_FIELD_NUMBER: _ClassVar[int]
    FOREGROUND_SHARE_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_LAYER_MEDIAN_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_LAYER_P999_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    TILES_FIELD_NUMBER: _ClassVar[int]
    locked_off: bool
    residual_median_px: float
    residual_p95_px: float
    inliers: int
    gain: _containers.RepeatedScalarFieldContainer[float]
    offset: _containers.RepeatedScalarFieldContainer[float]
    photometric_confidence: float
    nonfinite_frame: int
    nonfinite_plate: int
    valid_share: float
    foreground_share: float
    residual_layer_median: float
    residual_layer_p999: float
    warnings: _containers.RepeatedScalarFieldContainer[str]
    seconds: _containers.ScalarMap[str, float]
    tiles: int
    def __init__(self, locked_off: bool = ..., residual_median_px: _Optional[float] = ..., residual_p95_px: _Optional[float] = ..., inliers: _Optional[int] = ..., gain: _Optional[_Iterable[float]] = ..., offset: _Optional[_Iterable[float]] = ..., photometric_confidence: _Optional[float] = ..., nonfinite_frame: _Optional[int] = ..., nonfinite_plate: _Optional[int] = ..., valid_share: _Optional[float] = ..., foreground_share: _Optional[float] = ..., residual_layer_median: _Optional[float] = ..., residual_layer_p999: _Optional[float] = ..., warnings: _Optional[_Iterable[str]] = ..., seconds: _Optional[_Mapping[str, float]] = ..., tiles: _Optional[int] = ...) -> None: ...

class FrameDone(_message.Message):
    __slots__ = ("frame", "sha256", "size", "report")
    FRAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    frame: int
    sha256: str
    size: int
    report: FrameReport
    def __init__(self, frame: _Optional[int] = ..., sha256: _Optional[str] = ..., size: _Optional[int] = ..., report: _Optional[_Union[FrameReport, _Mapping]] = ...) -> None: ...

class FrameFailed(_message.Message):
    __slots__ = ("frame", "error")
    FRAME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    frame: int
    error: _error_pb2.ErrorDetail
    def __init__(self, frame: _Optional[int] = ..., error: _Optional[_Union[_error_pb2.ErrorDetail, _Mapping]] = ...) -> None: ...

class MatteReply(_message.Message):
    __slots__ = ("progress", "chunk", "done", "failed")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    progress: FrameProgress
    chunk: FrameChunk
    done: FrameDone
    failed: FrameFailed
    def __init__(self, progress: _Optional[_Union[FrameProgress, _Mapping]] = ..., chunk: _Optional[_Union[FrameChunk, _Mapping]] = ..., done: _Optional[_Union[FrameDone, _Mapping]] = ..., failed: _Optional[_Union[FrameFailed, _Mapping]] = ...) -> None: ...
