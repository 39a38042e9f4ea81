from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    BAD_REQUEST: _ClassVar[ErrorReason]
    IMAGE_UNREADABLE: _ClassVar[ErrorReason]
    CHANNELS_MISSING: _ClassVar[ErrorReason]
    PART_UNSUPPORTED: _ClassVar[ErrorReason]
    SIZE_MISMATCH: _ClassVar[ErrorReason]
    COLOR_UNKNOWN: _ClassVar[ErrorReason]
    COLOR_NOT_LINEAR: _ClassVar[ErrorReason]
    MODEL_UNKNOWN: _ClassVar[ErrorReason]
    REGISTRATION_FAILED: _ClassVar[ErrorReason]
    VALUE_OUT_OF_RANGE: _ClassVar[ErrorReason]
    BLOB_MISSING: _ClassVar[ErrorReason]
    BLOB_MISMATCH: _ClassVar[ErrorReason]
    PATH_NOT_ALLOWED: _ClassVar[ErrorReason]
    FILE_MISSING: _ClassVar[ErrorReason]
    TOKEN_WRONG: _ClassVar[ErrorReason]
    OUT_OF_MEMORY: _ClassVar[ErrorReason]
    LIMIT_EXCEEDED: _ClassVar[ErrorReason]
    ENGINE_STOPPING: _ClassVar[ErrorReason]
    DEVICE_UNAVAILABLE: _ClassVar[ErrorReason]
    UNSUPPORTED: _ClassVar[ErrorReason]
    CANCELLED: _ClassVar[ErrorReason]
    INTERNAL: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
BAD_REQUEST: ErrorReason
IMAGE_UNREADABLE: ErrorReason
CHANNELS_MISSING: ErrorReason
PART_UNSUPPORTED: ErrorReason
SIZE_MISMATCH: ErrorReason
COLOR_UNKNOWN: ErrorReason
COLOR_NOT_LINEAR: ErrorReason
MODEL_UNKNOWN: ErrorReason
REGISTRATION_FAILED: ErrorReason
VALUE_OUT_OF_RANGE: ErrorReason
BLOB_MISSING: ErrorReason
BLOB_MISMATCH: ErrorReason
PATH_NOT_ALLOWED: ErrorReason
FILE_MISSING: ErrorReason
TOKEN_WRONG: ErrorReason
OUT_OF_MEMORY: ErrorReason
LIMIT_EXCEEDED: ErrorReason
ENGINE_STOPPING: ErrorReason
DEVICE_UNAVAILABLE: ErrorReason
UNSUPPORTED: ErrorReason
CANCELLED: ErrorReason
INTERNAL: ErrorReason

class ErrorDetail(_message.Message):
    __slots__ = ("reason", "message", "next_step", "facts")
    class FactsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NEXT_STEP_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    reason: ErrorReason
    message: str
    next_step: str
    facts: _containers.ScalarMap[str, str]
    def __init__(self, reason: _Optional[_Union[ErrorReason, str]] = ..., message: _Optional[str] = ..., next_step: _Optional[str] = ..., facts: _Optional[_Mapping[str, str]] = ...) -> None: ...
