-- The fake's tool: inputs, output, and what a Fuse sees; returned is what drives it. Sources: fake_fusion_rules.lua.

local fake = ...
local host, variant, breach, during, strict, set_of =
  fake.host, fake.variant, fake.breach, fake.during, fake.strict, fake.set_of

local Images, address = fake.images, fake.address
local inputs, order, registered = {}, {}, nil

-- ---- inputs and outputs ----------------------------------------------------------------------------------------

local LINK_ATTRIBUTES = set_of("LINKS_Name LINKID_ID LINKID_DataType LINKID_AddAfterID LINK_Main LINK_ForceSave LINK_DoNotSave")
local INPUT_ATTRIBUTES = set_of([[INPID_InputControl INPID_PreviewControl INPID_AddModifier INPID_DefaultID INPS_DefaultText
  INPS_StatusText INP_External INP_Active INP_Required INP_Connected INP_Priority INP_Disabled INP_DoNotifyChanged INP_Integer
  INP_NumSlots INP_ForceNotify INP_InitialNotify INP_Passive INP_InteractivePassive INP_AcceptTransform INP_AcceptsMasks
  INP_AcceptsGLImages INP_MinAllowed INP_MaxAllowed INP_MinScale INP_MaxScale INP_Default INP_DefaultX INP_DefaultY
  INP_SendRequest INP_AcceptsDoD INP_DelayDefault IC_DisplayedPrecision IC_Steps IC_ControlGroup IC_ControlID IC_Visible
  ICD_Center ICD_Width ICS_Name ICS_ControlPage PC_Visible]])
local CONTROLS = { -- SDK, UI: the controls with their own attributes
  ButtonControl = set_of("BTNC_Align BTNCS_Execute"), -- reflected; Scripting Guide, Button Callbacks
  CheckboxControl = set_of("CBC_TriState"), ComboControl = set_of("CC_LabelPosition"),
  FileControl = set_of("FC_IsSaver FC_PathBrowse FC_ClipBrowse FCS_FilterString"), LabelControl = {},
  ScrewControl = {}, SliderControl = set_of("SLCS_LowName SLCS_HighName"),
  TextEditControl = set_of("TEC_Lines TEC_Wrap TEC_ReadOnly TEC_CharLimit TEC_DeferSetInputs"),
}
local DATA = set_of("Image Number Point Text")

local function check_attributes(id, attributes)
  local control = attributes.INPID_InputControl
  if control and not CONTROLS[control] then
    breach("%s: there is no %s", id, control)
  end
  for name, value in pairs(attributes) do
    local item = type(name) == "number" and control == "ComboControl" and value.CCS_AddString
    local own = control and CONTROLS[control][name]
    if not (item or own or LINK_ATTRIBUTES[name] or INPUT_ATTRIBUTES[name]) then
      breach("%s: there is no attribute %s", id, tostring(name))
    end
  end
end

local function check_input(id, attributes)
  local control, data = attributes.INPID_InputControl, attributes.LINKID_DataType
  if not id:match("^%a%w*$") or inputs[id] then -- SDK: no spaces, only pure alphanumeric characters
    breach("%s is no name for an input, or it is taken", id)
  elseif not DATA[data] then
    breach("%s: there is no data of type %s", id, tostring(data))
  elseif data == "Text" and attributes.INP_Default ~= nil then
    breach("%s: a text's default is INPS_DefaultText", id) -- SDK: "use instead of INP_Default!"
  elseif (control == "LabelControl" or attributes.TEC_ReadOnly) and attributes.INP_External ~= false then
    breach("%s: it needs INP_External = false", id) -- SDK, LabelControl and TextEditControl
  elseif attributes.INP_MinAllowed and not (attributes.INP_Default >= attributes.INP_MinAllowed
    and attributes.INP_Default <= attributes.INP_MaxAllowed) then
    breach("%s: the default is out of range", id)
  end
end

local Input = {}

local function fetched(id, time)
  local facts = host.describe(id, time)
  if not facts then
    return nil
  end
  local image = fake.make_image({
    width = facts.width, height = facts.height, depth = facts.depth, proxy = facts.proxy, x_scale = facts.x_scale,
    original_width = facts.width * facts.proxy, original_height = facts.height * facts.proxy, read_only = true,
    window = facts.window and fake.ImgRectI(facts.window[1], facts.window[2], facts.window[3], facts.window[4]),
    without_pixels = fake.request and fake.request.precalc,
  })
  if Images[image].pixels then
    host.pour(id, time, address(image))
  end
  return image
end

function Input.GetValue(input, given)
  during("GetValue", "process")
  if given ~= fake.request.handle then
    breach("GetValue wants the request of this Process")
  elseif inputs[input.id].attributes.INP_SendRequest == false then
    breach("%s: GetValue is not for an input with INP_SendRequest = false", input.id)
  elseif inputs[input.id].attributes.LINKID_DataType == "Image" then
    return fetched(input.id, given.Time)
  end
  return inputs[input.id].value
end

function Input.GetSource(input, time)
  during("GetSource", "process", "notify")
  if type(time) ~= "number" then
    breach("GetSource wants a frame number")
  elseif inputs[input.id].attributes.LINKID_DataType == "Image" then
    return fetched(input.id, time)
  end
  return inputs[input.id].value
end

function Input.SetSource(input, value, time)
  during("SetSource", "process", "notify")
  local hidden = inputs[input.id]
  if fake.kinds[value] ~= hidden.attributes.LINKID_DataType then -- SDK: SetSource("some text", 0) would fail
    breach("%s: SetSource wants a %s", input.id, hidden.attributes.LINKID_DataType)
  elseif type(time) ~= "number" then
    breach("%s: SetSource wants a time", input.id)
  elseif hidden.attributes.INP_Disabled then
    breach("%s is disabled", input.id) -- SDK: "it also prevents calls to Input:SetSource()"
  elseif fake.phase == "process" and not hidden.attributes.INP_Passive then
    breach("%s: changing an active control while rendering renders for ever", input.id)
  end
  hidden.value = value
end

function Input.SetAttrs(input, attributes)
  check_attributes(input.id, attributes)
  for name, value in pairs(attributes) do
    inputs[input.id].attributes[name] = value
  end
end

function Input.GetAttr(input, name)
  if not (INPUT_ATTRIBUTES[name] or LINK_ATTRIBUTES[name]) then
    breach("there is no attribute %s", tostring(name))
  elseif name == "INP_Connected" then
    return host.connected(input.id)
  end
  return inputs[input.id].attributes[name]
end

local function clipped(hidden, value)
  local attributes = hidden.attributes
  if attributes.LINKID_DataType == "Text" then
    return fake.Text(value)
  end
  value = attributes.INP_Integer and math.floor(value + 0.5) or value
  value = math.max(value, attributes.INP_MinAllowed or value)
  return fake.Number(math.min(value, attributes.INP_MaxAllowed or value))
end

-- ---- the operator, and what a Fuse sees -------------------------------------------------------------------------

local Operator = {}

function Operator.AddInput(_, label, id, attributes)
  during("AddInput", "create")
  check_attributes(id, attributes)
  check_input(id, attributes)
  local handle = strict("Input", {id = id}, Input)
  local hidden = {handle = handle, attributes = attributes, label = label}
  if attributes.LINKID_DataType ~= "Image" then
    hidden.value = clipped(hidden, attributes.INPS_DefaultText or attributes.INP_Default or
      (attributes.LINKID_DataType == "Text" and "" or 0))
  end
  inputs[id], order[#order + 1] = hidden, id
  return handle
end

function Operator.AddOutput(_, _, id, attributes)
  during("AddOutput", "create")
  check_attributes(id, attributes)
  return strict("Output", {}, {Set = function(_, given, image)
    during("Output:Set", "process")
    if given ~= fake.request.handle or fake.output then
      breach("Output:Set wants the request of this Process, once")
    elseif image ~= nil and not Images[image] then
      breach("Output:Set wants an image or nil")
    end
    fake.output = {image = image}
  end})
end

function Operator.AddControlPage(_, name)
  during("AddControlPage", "create")
  assert(type(name) == "string")
end

function Operator.SetProgress(_, share)
  during("SetProgress", "process")
  if not (share >= 0 and share <= 1) then
    breach("SetProgress wants 0 to 1")
  end
  host.progress(share)
end

-- seen: self.Comp has fields and no GetAttrs
local Comp = strict("Comp", {GlobalStart = 0, GlobalEnd = 1000, RenderStart = 0, RenderEnd = 1000}, {})
local operator = setmetatable({}, {
  __index = function(_, name)
    if name == "Status" then
      return host.status()
    end
    return ({Name = "PlateKey1", Comp = Comp})[name] or Operator[name] or breach("a Fuse's self has no member %s", name)
  end,
  __newindex = function(_, name)
    breach("self.%s cannot be set", name)
  end,
})

local REGISTRATION = set_of([[REGS_Name REGS_Category REGS_OpIconString REGS_OpDescription REGS_Company REGS_HelpTopic REGS_URL
  REGS_IconID REG_OpNoMask REG_NoAutoProxy REG_NoBlendCtrls REG_NoObjMatCtrls REG_NoMotionBlurCtrls REG_NoPreCalcProcess
  REG_Source_GlobalCtrls REG_Source_SizeCtrls REG_Source_AspectCtrls REG_Source_DepthCtrls REG_TimeVariant REG_Unpredictable
  REG_Fuse_NoEdit REG_Fuse_NoReload REG_Fuse_NoJIT REG_Fuse_TilePic REG_SupportsDoD REG_Version]])

local function FuRegisterClass(name, class, attributes)
  during("FuRegisterClass", "load")
  if type(name) ~= "string" or not name:match("^[A-Za-z_][A-Za-z0-9_]*$") then
    breach("%s is no name for a Fuse", tostring(name)) -- SDK: comps with another could not be opened again
  elseif class ~= "CT_Tool" then
    breach("%s is no class of tool", tostring(class))
  elseif registered and fake.phase == "load" and registered.fresh then
    breach("a Fuse registers once")
  end
  for key in pairs(attributes) do
    if not REGISTRATION[key] then
      breach("FuRegisterClass has no attribute %s", tostring(key))
    end
  end
  for _, key in ipairs({"REGS_Category", "REGS_OpIconString", "REGS_OpDescription"}) do
    if type(attributes[key]) ~= "string" then
      breach("FuRegisterClass needs %s", key)
    end
  end
  registered = {name = name, attributes = attributes, fresh = true}
end

local function forbidden(name)
  return function()
    breach("%s is not for a Fuse", name)
  end
end

local visible = {
  FuRegisterClass = FuRegisterClass, CT_Tool = "CT_Tool", CT_Modifier = "CT_Modifier", CT_ViewLUTPlugin = "CT_ViewLUTPlugin",
  self = operator, Image = fake.Image, Pixel = fake.Pixel, Number = fake.Number, Text = fake.Text,
  ImgRectI = fake.ImgRectI, EXRIO = fake.EXRIO, ffi = not variant.without_ffi and require("ffi"), jit = jit, bit = bit,
  string = string, table = table, math = math, io = io, os = setmetatable(
    {exit = forbidden("os.exit"), remove = variant.keeps_files and function() end or nil}, {__index = os}),
  require = variant.without_ffi and error or forbidden("require"), dofile = forbidden("dofile"), pairs = pairs, ipairs = ipairs, next = next,
  select = select, unpack = unpack, type = type, tostring = tostring, tonumber = tonumber, pcall = pcall, error = error,
  assert = assert, setmetatable = setmetatable, getmetatable = getmetatable, rawget = rawget, rawset = rawset,
  print = function(...)
    local words = {}
    for index = 1, select("#", ...) do
      words[index] = tostring((select(index, ...)))
    end
    host.print(table.concat(words, "\t"))
  end,
}
for name, value in pairs(fake.constants) do
  visible[name] = value
end
local globals = setmetatable({}, {__index = function(_, name)
  local value = visible[name]
  return value == nil and breach("undefined global %s", tostring(name)) or value
end})

local chunk

local function run_file()
  fake.phase = "load"
  if registered then
    registered.fresh = false
  end
  chunk()
  fake.phase = "idle"
end

local fusion = {}

function fusion.load(text)
  local made, fault = loadstring(text, "@PlateKey.fuse")
  chunk = setfenv(made or error(fault, 0), globals)
  run_file()
  fake.guarded("create", function() globals.Create() end)
end

function fusion.process(time, precalc)
  run_file() -- seen: a local that Create has filled is empty in Process
  for _, id in ipairs(order) do
    local attributes = inputs[id].attributes
    if attributes.LINKID_DataType == "Image" and attributes.INP_Required ~= false and not host.describe(id, time) then
      return nil
    end
  end
  fake.output = nil
  fake.request = {precalc = precalc}
  fake.request.handle = strict("Request", {Time = time, BaseTime = time}, {
    IsPreCalc = function() return precalc end, IsQuick = function() return false end,
    IsNoMotionBlur = function() return true end, IsStampOnly = function() return false end,
    GetFlags = function() return 0 end, GetTime = function() return time end,
  })
  local finished = fake.guarded("process", function() globals.Process(fake.request.handle) end)
  if next(fake.open_files) then
    fake.breaches[#fake.breaches + 1] = "Fusion: an EXRIO was left open"
  end
  fake.request = nil
  local image = finished and fake.output and fake.output.image
  if not image then
    return nil
  end
  local hidden = Images[image]
  return image.Width, image.Height, hidden.pixels and address(image) or 0, hidden.canvas.A, image
end

function fusion.notify(id, time)
  fake.guarded("notify", function() globals.NotifyChanged(inputs[id].handle, fake.Number(1), time) end)
end

function fusion.set(id, value)
  inputs[id].value = clipped(inputs[id], value)
end

function fusion.get(id)
  return inputs[id].value.Value
end

function fusion.describe(id)
  return inputs[id].label, inputs[id].attributes
end

function fusion.ids()
  return table.concat(order, " ")
end

function fusion.registration()
  return registered.name, registered.attributes
end

function fusion.breaches()
  return table.concat(fake.breaches, "\n")
end

function fusion.forget_breaches()
  fake.breaches = {}
end

fake.fusion, fake.inputs = fusion, inputs
