from host_bridge.wire.v1 import image_pb2 as _image_pb2
from host_bridge.wire.v1 import matte_pb2 as _matte_pb2
from host_bridge.wire.v1 import plate_pb2 as _plate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AdaptMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADAPT_METHOD_UNSPECIFIED: _ClassVar[AdaptMethod]
    ADAPT_EXACT: _ClassVar[AdaptMethod]
    ADAPT_ADVERSARIAL: _ClassVar[AdaptMethod]
ADAPT_METHOD_UNSPECIFIED: AdaptMethod
ADAPT_EXACT: AdaptMethod
ADAPT_ADVERSARIAL: AdaptMethod

class ProbeSpec(_message.Message):
    __slots__ = ("image",)
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.ImageRef
    def __init__(self, image: _Optional[_Union[_image_pb2.ImageRef, _Mapping]] = ...) -> None: ...

class InspectSpec(_message.Message):
    __slots__ = ("setup", "frames", "watched", "picture", "shot_length")
    SETUP_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    WATCHED_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    SHOT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    setup: _matte_pb2.MatteSetup
    frames: _containers.RepeatedCompositeFieldContainer[_matte_pb2.MatteFrame]
    watched: _containers.RepeatedCompositeFieldContainer[_plate_pb2.PlateManifest.Entry]
    picture: bool
    shot_length: int
    def __init__(self, setup: _Optional[_Union[_matte_pb2.MatteSetup, _Mapping]] = ..., frames: _Optional[_Iterable[_Union[_matte_pb2.MatteFrame, _Mapping]]] = ..., watched: _Optional[_Iterable[_Union[_plate_pb2.PlateManifest.Entry, _Mapping]]] = ..., picture: bool = ..., shot_length: _Optional[int] = ...) -> None: ...

class BuildPlateSpec(_message.Message):
    __slots__ = ("frames", "color", "reference_frame", "registration")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FRAME_FIELD_NUMBER: _ClassVar[int]
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[_plate_pb2.PlateManifest.Entry]
    color: _image_pb2.ColorSetup
    reference_frame: int
    registration: _matte_pb2.RegistrationMode
    def __init__(self, frames: _Optional[_Iterable[_Union[_plate_pb2.PlateManifest.Entry, _Mapping]]] = ..., color: _Optional[_Union[_image_pb2.ColorSetup, _Mapping]] = ..., reference_frame: _Optional[int] = ..., registration: _Optional[_Union[_matte_pb2.RegistrationMode, str]] = ...) -> None: ...

class ReportSpec(_message.Message):
    __slots__ = ("results", "title", "frames", "color")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[_plate_pb2.PlateManifest.Entry]
    title: str
    frames: _containers.RepeatedCompositeFieldContainer[_plate_pb2.PlateManifest.Entry]
    color: _image_pb2.ColorSetup
    def __init__(self, results: _Optional[_Iterable[_Union[_plate_pb2.PlateManifest.Entry, _Mapping]]] = ..., title: _Optional[str] = ..., frames: _Optional[_Iterable[_Union[_plate_pb2.PlateManifest.Entry, _Mapping]]] = ..., color: _Optional[_Union[_image_pb2.ColorSetup, _Mapping]] = ...) -> None: ...

class AdaptSpec(_message.Message):
    __slots__ = ("setup", "frames", "seconds", "method", "name")
    SETUP_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    setup: _matte_pb2.MatteSetup
    frames: _containers.RepeatedCompositeFieldContainer[_matte_pb2.MatteFrame]
    seconds: float
    method: AdaptMethod
    name: str
    def __init__(self, setup: _Optional[_Union[_matte_pb2.MatteSetup, _Mapping]] = ..., frames: _Optional[_Iterable[_Union[_matte_pb2.MatteFrame, _Mapping]]] = ..., seconds: _Optional[float] = ..., method: _Optional[_Union[AdaptMethod, str]] = ..., name: _Optional[str] = ...) -> None: ...

class JobRequest(_message.Message):
    __slots__ = ("job_id", "probe", "inspect", "build_plate", "report", "adapt")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    INSPECT_FIELD_NUMBER: _ClassVar[int]
    BUILD_PLATE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    ADAPT_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    probe: ProbeSpec
    inspect: InspectSpec
    build_plate: BuildPlateSpec
    report: ReportSpec
    adapt: AdaptSpec
    def __init__(self, job_id: _Optional[str] = ..., probe: _Optional[_Union[ProbeSpec, _Mapping]] = ..., inspect: _Optional[_Union[InspectSpec, _Mapping]] = ..., build_plate: _Optional[_Union[BuildPlateSpec, _Mapping]] = ..., report: _Optional[_Union[ReportSpec, _Mapping]] = ..., adapt: _Optional[_Union[AdaptSpec, _Mapping]] = ...) -> None: ...

class PartInfo(_message.Message):
    __slots__ = ("name", "channels", "data_window", "display_window", "pixel_aspect", "depth", "deep")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    DATA_WINDOW_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_WINDOW_FIELD_NUMBER: _ClassVar[int]
    PIXEL_ASPECT_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    DEEP_FIELD_NUMBER: _ClassVar[int]
    name: str
    channels: _containers.RepeatedScalarFieldContainer[str]
    data_window: _containers.RepeatedScalarFieldContainer[int]
    display_window: _containers.RepeatedScalarFieldContainer[int]
    pixel_aspect: float
    depth: str
    deep: bool
    def __init__(self, name: _Optional[str] = ..., channels: _Optional[_Iterable[str]] = ..., data_window: _Optional[_Iterable[int]] = ..., display_window: _Optional[_Iterable[int]] = ..., pixel_aspect: _Optional[float] = ..., depth: _Optional[str] = ..., deep: bool = ...) -> None: ...

class ProbeResult(_message.Message):
    __slots__ = ("format", "parts")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    format: str
    parts: _containers.RepeatedCompositeFieldContainer[PartInfo]
    def __init__(self, format: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[PartInfo, _Mapping]]] = ...) -> None: ...

class JobChunk(_message.Message):
    __slots__ = ("name", "data")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    name: str
    data: bytes
    def __init__(self, name: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class JobFile(_message.Message):
    __slots__ = ("name", "sha256", "size")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    name: str
    sha256: str
    size: int
    def __init__(self, name: _Optional[str] = ..., sha256: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class JobProgress(_message.Message):
    __slots__ = ("done", "message")
    DONE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    done: float
    message: str
    def __init__(self, done: _Optional[float] = ..., message: _Optional[str] = ...) -> None: ...

class JobDone(_message.Message):
    __slots__ = ("probe", "json", "files")
    PROBE_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    probe: ProbeResult
    json: str
    files: _containers.RepeatedCompositeFieldContainer[JobFile]
    def __init__(self, probe: _Optional[_Union[ProbeResult, _Mapping]] = ..., json: _Optional[str] = ..., files: _Optional[_Iterable[_Union[JobFile, _Mapping]]] = ...) -> None: ...

class JobEvent(_message.Message):
    __slots__ = ("job_id", "progress", "chunk", "done")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    progress: JobProgress
    chunk: JobChunk
    done: JobDone
    def __init__(self, job_id: _Optional[str] = ..., progress: _Optional[_Union[JobProgress, _Mapping]] = ..., chunk: _Optional[_Union[JobChunk, _Mapping]] = ..., done: _Optional[_Union[JobDone, _Mapping]] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class CancelJobResponse(_message.Message):
    __slots__ = ("was_running",)
    WAS_RUNNING_FIELD_NUMBER: _ClassVar[int]
    was_running: bool
    def __init__(self, was_running: bool = ...) -> None: ...
