from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor
KNOB_FIELD_NUMBER: _ClassVar[int]
knob: _descriptor.FieldDescriptor
CHOICE_FIELD_NUMBER: _ClassVar[int]
choice: _descriptor.FieldDescriptor

class Knob(_message.Message):
    __slots__ = ("label", "help", "unit", "low", "high", "initial", "initial_text", "merge_only")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    HELP_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    INITIAL_FIELD_NUMBER: _ClassVar[int]
    INITIAL_TEXT_FIELD_NUMBER: _ClassVar[int]
    MERGE_ONLY_FIELD_NUMBER: _ClassVar[int]
    label: str
    help: str
    unit: str
    low: float
    high: float
    initial: float
    initial_text: str
    merge_only: bool
    def __init__(self, label: _Optional[str] = ..., help: _Optional[str] = ..., unit: _Optional[str] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., initial: _Optional[float] = ..., initial_text: _Optional[str] = ..., merge_only: bool = ...) -> None: ...
