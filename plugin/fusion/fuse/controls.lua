-- The node's inputs and controls. Handles are kept in globals, because Fusion runs this file again before Process and a
-- local filled in by Create would be empty there.

-- What the node gives out. `layer` is the layer to ask for; `channels` are red, green, blue and alpha in the file.
local OUTPUTS = {
  {label = "Subject", channels = {"R", "G", "B", "A"}},
  {label = "Subject with its shadow", shaded = true},
  {label = "Shadow", layer = "shadow"},
  {label = "Residual", layer = "residual"},
  {label = "Shadow ratio", layer = "shadow_ratio", channels = {"shadow_ratio.R", "shadow_ratio.G", "shadow_ratio.B"}},
  {label = "Uncertainty", layer = "uncertainty", channels = {"uncertainty.Y"}},
  {label = "Difference", layer = "difference", channels = {"difference.Y"}},
  {label = "Validity", layer = "validity", channels = {"validity.Y"}},
  {label = "Foreground, straight", layer = "fg", channels = {"fg.R", "fg.G", "fg.B"}},
  {label = "Clean plate as registered", layer = "cleanplate", channels = {"cleanplate.R", "cleanplate.G", "cleanplate.B"}},
}

-- How exchange files are written. The first way uses documented calls alone, and the same picture always gives the same
-- bytes, which is what the side-car's cache goes by. EXRIO may be faster; what it puts into a header is its own affair.
local WRITERS = {"Pixel by pixel", "EXRIO, where it proves exact"}

local function menu(first, items, after)
  local attributes = {LINKID_DataType = "Number", INPID_InputControl = "ComboControl", INP_Integer = true, INP_External = false}
  for _, labels in ipairs({first, items, after}) do
    for _, label in ipairs(labels) do
      attributes[#attributes + 1] = {CCS_AddString = label}
    end
  end
  attributes.INP_Default = 0
  return attributes
end

local function labels_of(entries)
  local labels = {}
  for index, entry in ipairs(entries) do
    labels[index] = entry.label
  end
  return labels
end

local function text(lines, read_only)
  return {
    LINKID_DataType = "Text",
    INPID_InputControl = "TextEditControl",
    TEC_Lines = lines,
    TEC_Wrap = lines > 1,
    TEC_ReadOnly = read_only,
    INP_External = false,
    INP_Passive = read_only,
  }
end

local function picture_input(order, is_matte)
  return {
    LINKID_DataType = "Image",
    LINK_Main = order,
    INP_Required = false, -- so that Process is called, and can say what is missing
    INP_AcceptsMasks = is_matte,
  }
end

--- A button: NotifyChanged hears of it, or Fusion runs a script (Scripting Guide, Button Callbacks).
local function button(script)
  return {
    LINKID_DataType = "Number",
    INPID_InputControl = "ButtonControl",
    INP_DoNotifyChanged = not script,
    BTNCS_Execute = script,
    INP_External = false,
  }
end

--- A value that is kept with the comp and that no artist sees.
local function hidden(data, passive)
  return {LINKID_DataType = data, INPID_InputControl = data == "Text" and "TextEditControl" or "ScrewControl",
    INP_Integer = data == "Number" or nil, INP_External = false, INP_Passive = passive, IC_Visible = false}
end

local function folder_or_file(is_folder)
  return {
    LINKID_DataType = "Text",
    INPID_InputControl = "FileControl",
    FC_PathBrowse = is_folder,
    INP_External = false,
  }
end

--- The attributes of a declared knob.
local function knob_attributes(knob)
  local attributes
  if knob.kind == "choice" then
    attributes = menu({}, labels_of(knob.choices), {})
    for index, choice in ipairs(knob.choices) do
      attributes.INP_Default = choice.name == knob.initial and index - 1 or attributes.INP_Default
    end
  elseif knob.kind == "text" then
    attributes = text(1)
    attributes.INPS_DefaultText = knob.initial
  elseif knob.kind == "switch" then
    attributes = {LINKID_DataType = "Number", INPID_InputControl = "CheckboxControl", INP_Integer = true}
    attributes.INP_Default = knob.initial and 1 or 0
  else
    attributes = {LINKID_DataType = "Number", INPID_InputControl = "SliderControl", INP_Integer = knob.kind == "whole"}
    attributes.INP_Default = knob.initial
    attributes.INP_MinScale, attributes.INP_MaxScale = knob.low, knob.high
    attributes.INP_MinAllowed, attributes.INP_MaxAllowed = knob.low, knob.high
  end
  attributes.INPS_StatusText = knob.help
  return attributes
end

local function add(id, label, attributes)
  Inputs[id] = self:AddInput(label, id, attributes)
end

local function add_pictures()
  add("Frame", "Frame", picture_input(1))
  add("CleanPlate", "Clean plate", picture_input(2))
  add("Garbage", "Garbage matte", picture_input(3, true))
  add("Core", "Core matte", picture_input(4, true))
  add("Hint", "Hint", picture_input(5, true))
  OutImage = self:AddOutput("Output", "Output", {LINKID_DataType = "Image", LINK_Main = 1})
end

local function add_main_controls()
  add("Space", "Working space", menu({"Choose it here"}, options.SPACES, {"Another, named below"}))
  add("OtherSpace", "Another space", text(1))
  add("PlateFrame", "Clean plate frame", {
    LINKID_DataType = "Number",
    INPID_InputControl = "ScrewControl",
    INP_Integer = true,
    INP_External = false,
    INP_Default = options.NOT_CHOSEN,
    INPS_StatusText = "Frame of the first input without the subject; not used where a clean plate is connected.",
  })
  add("UsePlateFrame", "Use current frame", button())
  add("Show", "Output", menu({}, labels_of(OUTPUTS), {}))
  add("Status", "Status", text(5, true))
  add("TryAgain", "Try again", button())
  add("Attempt", "Attempt", hidden("Number"))
end

--- What is asked about the whole shot. Process gets one frame and may change no control, so a script asks, in a process
-- of its own (Scripting Guide, Fusion Instance): PlateKey_Ask.lua. What it sets is passive, but for the model.
local function add_questions()
  local script = "tool:SetInput('Ask', %d) comp:RunScript('Scripts:Comp/PlateKey_Ask.lua')"
  add("InspectPlate", "Inspect plate", button(script:format(1)))
  add("AdaptToShot", "Adapt to this shot", button(script:format(2)))
  add("CancelAsking", "Cancel", button())
  add("Answer", "Inspection and adaptation", text(8, true))
  add("Ask", "Ask", hidden("Number", true))
  add("StopAsking", "Stop asking", hidden("Number", true))
  add("Adapted", "Adapted model", hidden("Text", true))
end

local function add_knobs()
  for _, knob in ipairs(KNOBS) do
    local label = knob.unit == "" and knob.label or ("%s (%s)"):format(knob.label, knob.unit)
    add(knob.id, label, knob_attributes(knob))
  end
end

local function add_side_car_controls()
  add("Config", "OCIO configuration", folder_or_file(false))
  add("ExchangeFolder", "Exchange folder", folder_or_file(true))
  add("Writer", "Write exchange files", menu({}, WRITERS, {}))
end

function Create()
  Inputs = {}
  add_pictures()
  add_main_controls()
  add_questions()
  self:AddControlPage("Matte")
  add_knobs()
  self:AddControlPage("Side-car")
  add_side_car_controls()
end

function NotifyChanged(input, parameter, time)
  if not (parameter and parameter.Value == 1) then
    return
  elseif input == Inputs.UsePlateFrame then
    Inputs.PlateFrame:SetSource(Number(math.floor(time + 0.5)), 0, 0)
  elseif input == Inputs.TryAgain then
    Inputs.Attempt:SetSource(Number(Inputs.Attempt:GetSource(0).Value + 1), 0, 0)
  elseif input == Inputs.CancelAsking then
    Inputs.StopAsking:SetSource(Number(1), 0, 0)
  end
end
