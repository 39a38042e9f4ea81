"""The stand-in for Fusion bites: each rule that it enforces is broken here by a Fuse of a few lines."""

import json

import numpy as np
import pytest
from fake_fusion import Comp, Picture, RuleBroken

REGISTER = (
    'FuRegisterClass("Small", CT_Tool, {REGS_Category = "A", REGS_OpIconString = "B", REGS_OpDescription = "C"})\n'
)
CREATE = """
function Create()
  InImage = self:AddInput("Input", "Input", {LINKID_DataType = "Image", LINK_Main = 1})
  InGain = self:AddInput("Gain", "Gain", {LINKID_DataType = "Number", INPID_InputControl = "SliderControl"})
  InLabel = self:AddInput("Label", "Label", {LINKID_DataType = "Text", INPID_InputControl = "TextEditControl",
    INP_External = false, INP_Passive = true})
  OutImage = self:AddOutput("Output", "Output", {LINKID_DataType = "Image", LINK_Main = 1})
  %s
end
"""


def fuse(process="", create="", top=""):
    return f"{REGISTER}{top}\n{CREATE % create}\nfunction Process(req)\n{process}\nend\n"


def render(text, **variant):
    comp = Comp(text, variant).connect("Input", {1.0: np.full((2, 3, 4), 0.5, np.float32)})
    return comp.render(1.0)


GOOD = "local img = InImage:GetValue(req) OutImage:Set(req, img)"


def test_a_fuse_that_keeps_the_rules_passes():
    assert (render(fuse(GOOD)).pixels == 0.5).all()


@pytest.mark.parametrize(
    ("process", "words"),
    [
        ("print(undeclared)", "undefined global undeclared"),
        ("self:AddInput('x', 'x', {LINKID_DataType = 'Number'})", "AddInput was called during process"),
        ("InImage:GetValue(1)", "wants the request of this Process"),
        ("InImage:GetSource('1')", "GetSource wants a frame number"),
        ("InLabel:SetSource('text', 0)", "SetSource wants a Text"),
        ("InLabel:SetSource(Number(1), 0)", "SetSource wants a Text"),
        ("InLabel:SetSource(Text('a'))", "wants a time"),
        ("InGain:SetSource(Number(1), 0)", "renders for ever"),
        ("InLabel:SetAttrs({INP_Disabled = true}) InLabel:SetSource(Text('a'), 0)", "is disabled"),
        ("InGain:SetAttrs({INP_Maximum = 1})", "no attribute INP_Maximum"),
        ("InGain:GetAttr('INP_Name')", "no attribute INP_Name"),
        ("InGain:Frobnicate()", "Input has no member Frobnicate"),
        ("self.Status = 'Failed'", "self.Status cannot be set"),
        ("self.Comp:GetAttrs()", "Comp has no member GetAttrs"),
        ("self:SetProgress(7)", "SetProgress wants 0 to 1"),
        ("InImage:GetValue(req):GetPixel(3, 0, Pixel())", "outside the image"),
        ("InImage:GetValue(req):SetPixel(0, 0, Pixel())", "must not be written"),
        ("InImage:GetValue(req):Gain(1, 1, 1, 1)", "must not be written"),
        ("InImage:GetValue(req):Frobnicate()", "Image has no member Frobnicate"),
        ("Image({IMG_Like = InImage:GetValue(req), IMG_Size = 1})", "no attribute IMG_Size"),
        ("Image({IMG_Like = InImage:GetValue(req), {IMG_Channel = 'Beta'}})", "no channel Beta"),
        ("Image({IMG_Like = InImage:GetValue(req), IMG_Depth = 9})", "no depth 9"),
        ("Image({})", "needs a size"),
        ("OutImage:Set(req, 5)", "wants an image or nil"),
        ("OutImage:Set(req, nil) OutImage:Set(req, nil)", "once"),
        ("OutImage:Set(req, Image({IMG_Like = InImage:GetValue(req)}))", "pixels that nobody has written"),
        ("local e = EXRIO() e:ReadOpen('/x.exr', -1) e:ReadPart(1, {})", "ReadPart after open"),
        ("local e = EXRIO() e:ReadOpen('/x.exr', 1)", "wants a whole name"),
        ("local e = EXRIO() e:ReadOpen('/x.exr', -1)", "left open"),
        ("local e = EXRIO() e:ReadOpen('/x.exr', -1) e:ReadHeader() e:Part(2)", "no part 2"),
        ("os.exit()", "os.exit is not for a Fuse"),
        ("require('socket')", "require is not for a Fuse"),
        ("pcall(function() InGain:Frobnicate() end) " + GOOD, "Input has no member Frobnicate"),
    ],
)
def test_a_rule_of_process_bites(process, words):
    with pytest.raises(RuleBroken, match=words):
        render(fuse(process))


@pytest.mark.parametrize(
    ("create", "words"),
    [
        ("self:AddInput('a b', 'a b', {LINKID_DataType = 'Number'})", "no name for an input"),
        ("self:AddInput('Gain', 'Gain', {LINKID_DataType = 'Number'})", "it is taken"),
        ("self:AddInput('a', 'a', {LINKID_DataType = 'Colour'})", "no data of type Colour"),
        ("self:AddInput('a', 'a', {LINKID_DataType = 'Number', INPID_InputControl = 'Slider'})", "no Slider"),
        ("self:AddInput('a', 'a', {LINKID_DataType = 'Number', INP_Max = 1})", "no attribute INP_Max"),
        ("self:AddInput('a', 'a', {LINKID_DataType = 'Number', CBC_TriState = true})", "no attribute CBC_TriState"),
        ("self:AddInput('a', 'a', {LINKID_DataType = 'Text', INP_Default = 'x'})", "INPS_DefaultText"),
        ("self:AddInput('a', 'a', {LINKID_DataType = 'Text', INPID_InputControl = 'LabelControl'})", "INP_External"),
        (
            "self:AddInput('a', 'a', {LINKID_DataType = 'Number', INP_Default = 3, INP_MinAllowed = 0, "
            "INP_MaxAllowed = 1})",
            "default is out of range",
        ),
        ("InGain:GetValue(nil)", "GetValue was called during create"),
        ("InGain:GetSource(0)", "GetSource was called during create"),
        ("Image({IMG_Width = 1, IMG_Height = 1})", "Image was called during create"),
    ],
)
def test_a_rule_of_create_bites(create, words):
    with pytest.raises(RuleBroken, match=words):
        Comp(fuse(create=create))


@pytest.mark.parametrize(
    ("top", "words"),
    [
        ("FuRegisterClass('Small', CT_Tool, {})", "registers once"),
        ("self:AddControlPage('x')", "AddControlPage was called during load"),
    ],
)
def test_a_rule_of_loading_bites(top, words):
    with pytest.raises(Exception, match=words):
        Comp(fuse(top=top))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("FuRegisterClass('plate-key', CT_Tool, {})", "no name for a Fuse"),
        ("FuRegisterClass('A', 'CT_Widget', {})", "no class of tool"),
        ("FuRegisterClass('A', CT_Tool, {REGS_Category = 'B'})", "needs REGS_OpIconString"),
        ("FuRegisterClass('A', CT_Tool, {REGS_Colour = 'B'})", "no attribute REGS_Colour"),
    ],
)
def test_a_rule_of_registration_bites(call, words):
    with pytest.raises(Exception, match=words):
        Comp(call)


def test_a_local_filled_by_create_is_empty_in_process():
    seen = render(fuse("print(kept == nil) " + GOOD, create="kept = 1", top="local kept"))
    assert seen.console == ["true"]


def test_an_input_that_is_required_fails_the_tool_before_process():
    comp = Comp(fuse("print('called')"))
    assert comp.render(1.0).console == []


def test_a_precalc_request_wants_no_pixels():
    comp = Comp(fuse("OutImage:Set(req, Image({IMG_Like = InImage:GetValue(req)}))"))
    comp.connect("Input", {1.0: np.zeros((2, 3, 4), np.float32)})
    with pytest.raises(RuleBroken, match="IMG_NoData"):
        comp.measure(1.0)


def test_pixels_beyond_the_data_window_are_not_there():
    comp = Comp(fuse("InImage:GetValue(req):GetPixel(0, 0, Pixel())"))
    comp.connect("Input", {1.0: Picture(np.zeros((4, 4, 4), np.float32), window=(1, 1, 3, 3))})
    with pytest.raises(RuleBroken, match="outside the image"):
        comp.render(1.0)


def test_a_fuse_that_raises_fails_and_says_so_in_the_console():
    seen = render(fuse("error('broken')"))
    assert seen.pixels is None
    assert "broken" in seen.console[0]


def clicked(script, **variant):
    """A Fuse whose button runs a script."""
    comp = Comp(
        fuse(GOOD, create=f"self:AddInput('Go', 'Go', {{{BUTTON}, BTNCS_Execute = {json.dumps(script)}}})"), variant
    )
    comp.connect("Input", {1.0: np.zeros((2, 3, 4), np.float32)}).press("Go")
    return comp


BUTTON = "LINKID_DataType = 'Number', INPID_InputControl = 'ButtonControl', INP_External = false"
SAVER = "comp:Lock() local s = comp:AddTool('Saver', 0, 0) comp:Unlock() "


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("print(undeclared)", "a script has no global undeclared"),
        ("print(InGain)", "a script has no global InGain"),
        ("os.exit()", "os.exit ends"),
        ("tool:GetInput('Nothing')", "no input Nothing"),
        ("tool:SetInput('Gain', 'x')", "SetInput wants a number"),
        ("tool.Gain = 1", "changes Gain of the tool"),
        ("tool:Frobnicate()", "no member Frobnicate"),
        ("comp:Frobnicate()", "Comp has no member Frobnicate"),
        ("comp:RunScript('Scripts:Comp/Nothing.lua')", "no script Scripts:Comp/Nothing.lua"),
        ("comp:AddTool('Saver', 0, 0)", "asks for a file"),
        ("comp:Lock() comp:AddTool('Blur', 0, 0)", "no tool Blur"),
        ("comp:Lock()", "left the comp locked"),
        (SAVER, "or a Saver in it"),
        (SAVER + "s.Frobnicate = 1", "Frobnicate is not for this"),
        (SAVER + "s:SetInput('Codec', 1)", "no input Codec"),
        (SAVER + "comp:Render({Tool = s, From = 1})", "no setting From"),
        (SAVER + "comp:Render({Tool = s, Start = 1, End = 1})", "without Wait"),
        (SAVER + "comp:Lock() comp:Render({Tool = s, Start = 1, End = 1, Wait = true})", "a locked comp"),
        (SAVER + "s:Delete() comp:Render({Tool = s, Start = 1, End = 1, Wait = true})", "wants a tool"),
        ("tool:SetInput('Gain', 1) pcall(tool.GetInput, tool, 'Nothing')", "no input Nothing"),
    ],
)
def test_a_rule_of_scripts_bites(script, words):
    with pytest.raises(RuleBroken, match=words):
        clicked(script)


def test_a_saver_of_a_script_writes_what_is_connected_unless_it_is_bypassed(tmp_path):
    render = "comp:Render({Tool = s, Start = 1, End = 1, Wait = true})"
    clip = f"s.Input = tool.Input:GetConnectedOutput() s:SetInput('Clip', '{tmp_path}/f.0000.exr') "
    clicked(f"{SAVER}{clip}s:SetAttrs({{TOOLB_PassThrough = true}}) assert({render}) s:Delete()")
    assert list(tmp_path.iterdir()) == []
    beyond = render.replace("1", "2")
    comp = clicked(f"{SAVER}{clip}assert({render}) assert(not {beyond}) s:Delete()")
    assert [path.name for path in tmp_path.iterdir()] == ["f.0001.exr"]
    assert comp.host.saved == [("Input", 1)]
