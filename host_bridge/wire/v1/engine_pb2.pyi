from host_bridge.wire.v1 import job_pb2 as _job_pb2
from host_bridge.wire.v1 import matte_pb2 as _matte_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Device(_message.Message):
    __slots__ = ("id", "name", "memory_total", "memory_free", "precision")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TOTAL_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FREE_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    memory_total: int
    memory_free: int
    precision: _matte_pb2.Precision
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., memory_total: _Optional[int] = ..., memory_free: _Optional[int] = ..., precision: _Optional[_Union[_matte_pb2.Precision, str]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "weights_sha256", "weights_size", "parameters", "licence", "commercial_use", "data")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_SHA256_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_SIZE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    COMMERCIAL_USE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    name: str
    weights_sha256: str
    weights_size: int
    parameters: int
    licence: str
    commercial_use: bool
    data: str
    def __init__(self, name: _Optional[str] = ..., weights_sha256: _Optional[str] = ..., weights_size: _Optional[int] = ..., parameters: _Optional[int] = ..., licence: _Optional[str] = ..., commercial_use: bool = ..., data: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("message_bytes", "chunk_bytes", "blob_bytes", "store_bytes", "plate_cache_bytes", "frames_in_flight")
    MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHUNK_BYTES_FIELD_NUMBER: _ClassVar[int]
    BLOB_BYTES_FIELD_NUMBER: _ClassVar[int]
    STORE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PLATE_CACHE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FRAMES_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    message_bytes: int
    chunk_bytes: int
    blob_bytes: int
    store_bytes: int
    plate_cache_bytes: int
    frames_in_flight: int
    def __init__(self, message_bytes: _Optional[int] = ..., chunk_bytes: _Optional[int] = ..., blob_bytes: _Optional[int] = ..., store_bytes: _Optional[int] = ..., plate_cache_bytes: _Optional[int] = ..., frames_in_flight: _Optional[int] = ...) -> None: ...

class Features(_message.Message):
    __slots__ = ("plate_statistics", "jobs")
    PLATE_STATISTICS_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    plate_statistics: bool
    jobs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, plate_statistics: bool = ..., jobs: _Optional[_Iterable[str]] = ...) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("version", "build", "wire", "pid", "uptime", "devices", "default_device", "threads", "models", "limits", "features", "color_configs", "active_calls", "roots")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BUILD_FIELD_NUMBER: _ClassVar[int]
    WIRE_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    UPTIME_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_DEVICE_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    COLOR_CONFIGS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_CALLS_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    version: str
    build: str
    wire: int
    pid: int
    uptime: float
    devices: _containers.RepeatedCompositeFieldContainer[Device]
    default_device: str
    threads: int
    models: _containers.RepeatedCompositeFieldContainer[Model]
    limits: Limits
    features: Features
    color_configs: _containers.RepeatedScalarFieldContainer[str]
    active_calls: int
    roots: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[str] = ..., build: _Optional[str] = ..., wire: _Optional[int] = ..., pid: _Optional[int] = ..., uptime: _Optional[float] = ..., devices: _Optional[_Iterable[_Union[Device, _Mapping]]] = ..., default_device: _Optional[str] = ..., threads: _Optional[int] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., features: _Optional[_Union[Features, _Mapping]] = ..., color_configs: _Optional[_Iterable[str]] = ..., active_calls: _Optional[int] = ..., roots: _Optional[_Iterable[str]] = ...) -> None: ...

class FindMissingRequest(_message.Message):
    __slots__ = ("sha256",)
    SHA256_FIELD_NUMBER: _ClassVar[int]
    sha256: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, sha256: _Optional[_Iterable[str]] = ...) -> None: ...

class FindMissingResponse(_message.Message):
    __slots__ = ("sha256",)
    SHA256_FIELD_NUMBER: _ClassVar[int]
    sha256: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, sha256: _Optional[_Iterable[str]] = ...) -> None: ...

class UploadRequest(_message.Message):
    __slots__ = ("header", "data")
    class Header(_message.Message):
        __slots__ = ("sha256", "size")
        SHA256_FIELD_NUMBER: _ClassVar[int]
        SIZE_FIELD_NUMBER: _ClassVar[int]
        sha256: str
        size: int
        def __init__(self, sha256: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    header: UploadRequest.Header
    data: bytes
    def __init__(self, header: _Optional[_Union[UploadRequest.Header, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class UploadResponse(_message.Message):
    __slots__ = ("stored",)
    STORED_FIELD_NUMBER: _ClassVar[int]
    stored: bool
    def __init__(self, stored: bool = ...) -> None: ...

class StopRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StopResponse(_message.Message):
    __slots__ = ("stopping",)
    STOPPING_FIELD_NUMBER: _ClassVar[int]
    stopping: bool
    def __init__(self, stopping: bool = ...) -> None: ...
