from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImageRef(_message.Message):
    __slots__ = ("sha256", "size", "name", "path", "part", "color_space")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    COLOR_SPACE_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    size: int
    name: str
    path: str
    part: str
    color_space: str
    def __init__(self, sha256: _Optional[str] = ..., size: _Optional[int] = ..., name: _Optional[str] = ..., path: _Optional[str] = ..., part: _Optional[str] = ..., color_space: _Optional[str] = ...) -> None: ...

class ColorConfig(_message.Message):
    __slots__ = ("builtin", "sha256", "name", "size")
    BUILTIN_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    builtin: str
    sha256: str
    name: str
    size: int
    def __init__(self, builtin: _Optional[str] = ..., sha256: _Optional[str] = ..., name: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class ColorSetup(_message.Message):
    __slots__ = ("config", "output_space")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SPACE_FIELD_NUMBER: _ClassVar[int]
    config: ColorConfig
    output_space: str
    def __init__(self, config: _Optional[_Union[ColorConfig, _Mapping]] = ..., output_space: _Optional[str] = ...) -> None: ...
