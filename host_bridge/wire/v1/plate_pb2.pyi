from host_bridge.wire.v1 import image_pb2 as _image_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlateManifest(_message.Message):
    __slots__ = ("mapping", "entries", "hold_frame", "offset", "statistics")
    class Mapping(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MAPPING_UNSPECIFIED: _ClassVar[PlateManifest.Mapping]
        HOLD: _ClassVar[PlateManifest.Mapping]
        MATCH: _ClassVar[PlateManifest.Mapping]
        OFFSET: _ClassVar[PlateManifest.Mapping]
        BURST: _ClassVar[PlateManifest.Mapping]
        MOVING: _ClassVar[PlateManifest.Mapping]
    MAPPING_UNSPECIFIED: PlateManifest.Mapping
    HOLD: PlateManifest.Mapping
    MATCH: PlateManifest.Mapping
    OFFSET: PlateManifest.Mapping
    BURST: PlateManifest.Mapping
    MOVING: PlateManifest.Mapping
    class Entry(_message.Message):
        __slots__ = ("frame", "image")
        FRAME_FIELD_NUMBER: _ClassVar[int]
        IMAGE_FIELD_NUMBER: _ClassVar[int]
        frame: int
        image: _image_pb2.ImageRef
        def __init__(self, frame: _Optional[int] = ..., image: _Optional[_Union[_image_pb2.ImageRef, _Mapping]] = ...) -> None: ...
    class Statistics(_message.Message):
        __slots__ = ("mean", "deviation")
        MEAN_FIELD_NUMBER: _ClassVar[int]
        DEVIATION_FIELD_NUMBER: _ClassVar[int]
        mean: _image_pb2.ImageRef
        deviation: _image_pb2.ImageRef
        def __init__(self, mean: _Optional[_Union[_image_pb2.ImageRef, _Mapping]] = ..., deviation: _Optional[_Union[_image_pb2.ImageRef, _Mapping]] = ...) -> None: ...
    MAPPING_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    HOLD_FRAME_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    mapping: PlateManifest.Mapping
    entries: _containers.RepeatedCompositeFieldContainer[PlateManifest.Entry]
    hold_frame: int
    offset: int
    statistics: PlateManifest.Statistics
    def __init__(self, mapping: _Optional[_Union[PlateManifest.Mapping, str]] = ..., entries: _Optional[_Iterable[_Union[PlateManifest.Entry, _Mapping]]] = ..., hold_frame: _Optional[int] = ..., offset: _Optional[int] = ..., statistics: _Optional[_Union[PlateManifest.Statistics, _Mapping]] = ...) -> None: ...
