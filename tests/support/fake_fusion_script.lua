-- The fake's other door: what a button's script, and a script that it runs, see of the comp. Sources of the rules: the
-- Fusion 8 Scripting Guide ("guide") and fake_fusion_rules.lua. A script runs in a process of its own (guide, Fusion
-- Instance), so it shares no global with the Fuse.

local fake = ...
local host, breach, strict, set_of, fusion, inputs =
  fake.host, fake.breach, fake.strict, fake.set_of, fake.fusion, fake.inputs

local SAVER_INPUTS = set_of("Clip OutputFormat OpenEXRFormat.Depth OpenEXRFormat.Compression")
local RENDER = set_of("Tool Start End Wait HiQ MotionBlur SizeType RenderAll FrameRange") -- guide, Composition.Render
local comp, locked, savers = {}, 0, {}

-- ---- tools -------------------------------------------------------------------------------------------------------

--- An input of the node, as a script sees it: guide, PlainInput.
local function socket(id)
  return strict("Input", {}, {GetConnectedOutput = function()
    return host.connected(id) and fake.output_of(id) or nil
  end})
end

function fake.output_of(id)
  return strict("Output", {input = id}, {})
end

local node_methods = {}

function node_methods.GetInput(_, id)
  if not inputs[id] then
    breach("the tool has no input %s", tostring(id))
  end
  return inputs[id].value.Value
end

function node_methods.SetInput(_, id, value)
  local hidden = inputs[id] or breach("the tool has no input %s", tostring(id))
  local wanted = hidden.attributes.LINKID_DataType == "Text" and "string" or "number"
  if type(value) ~= wanted then
    breach("%s: SetInput wants a %s", id, wanted)
  end
  fusion.set(id, value)
  host.scripted(id, value, hidden.attributes.INP_Passive == true)
end

--- The node: guide, Operator. Its inputs are members, by their ids.
local node = setmetatable({}, {
  __index = function(_, name)
    if inputs[name] and inputs[name].attributes.LINKID_DataType == "Image" then
      return socket(name)
    end
    return ({Name = "PlateKey1", ID = "Fuse.PlateKey"})[name] or node_methods[name]
      or breach("a tool has no member %s", tostring(name))
  end,
  __newindex = function(_, name) breach("the script changes %s of the tool", tostring(name)) end,
})

local function new_saver()
  local hidden = {values = {}, bypassed = false}
  local methods = {
    SetInput = function(_, id, value)
      hidden.values[SAVER_INPUTS[id] and id or breach("a Saver has no input %s", tostring(id))] = value
    end,
    SetAttrs = function(_, attributes)
      for name, value in pairs(attributes) do
        hidden.bypassed = name == "TOOLB_PassThrough" and value or name ~= "TOOLB_PassThrough" and breach("no %s", name)
      end
    end,
    Delete = function(saver) savers[saver] = nil end,
  }
  local saver = setmetatable({}, {
    __index = function(_, name) return methods[name] or breach("a Saver has no member %s", tostring(name)) end,
    __newindex = function(_, name, value) -- guide: a tool's input is connected by giving it an output
      hidden.output = name == "Input" and value or breach("a Saver's %s is not for this", tostring(name))
    end,
  })
  savers[saver] = hidden
  return saver
end

-- ---- the comp: guide, Composition ----------------------------------------------------------------------------------

function comp.GetAttrs()
  return {COMPN_RenderStart = host.first, COMPN_RenderEnd = host.last, COMPS_FileName = host.comp_file}
end

function comp.GetToolList(_, selected, kind)
  local found = {}
  for index, tool in ipairs(not selected and kind == "Fuse.PlateKey" and {node} or {}) do
    found[index] = tool
  end
  return found
end

function comp.Lock() locked = locked + 1 end
function comp.Unlock() locked = locked - 1 end

function comp.AddTool(_, kind)
  if kind ~= "Saver" then
    breach("there is no tool %s", tostring(kind))
  elseif locked == 0 then
    breach("a Saver that is added to an unlocked comp asks for a file") -- guide, Composition.Lock
  end
  return new_saver()
end

function comp.Render(_, settings)
  for name in pairs(settings) do
    if not RENDER[name] then
      breach("Render has no setting %s", tostring(name))
    end
  end
  local hidden = savers[settings.Tool] or breach("Render wants a tool of the comp")
  if not settings.Wait then
    breach("without Wait the files are not there when Render returns")
  elseif locked > 0 then
    breach("a locked comp renders nothing")
  elseif not hidden.output then
    return false
  end
  for frame = settings.Start, settings.End do
    if not host.save(hidden.output.input, frame, hidden.values.Clip or "", hidden.bypassed) then
      return false
    end
  end
  return true
end

-- ---- scripts -----------------------------------------------------------------------------------------------------

local PLAIN = set_of([[string table math io jit bit pairs ipairs next select unpack type tostring tonumber pcall error assert
  setmetatable getmetatable rawget rawset]])

local function world(known)
  known.os = setmetatable({exit = function() breach("os.exit ends Fusion's script host") end}, {__index = os})
  known.print = function(...) host.print(table.concat({...}, "\t")) end
  known.require = function(name) return name == "ffi" and not fake.variant.without_ffi and require(name) or error("none") end
  return setmetatable({}, {__index = function(_, name)
    local value = known[name]
    if value == nil and PLAIN[name] then
      value = _G[name]
    elseif value == nil and name ~= "ffi" then
      breach("a script has no global %s", tostring(name))
    end
    return value
  end})
end

local shown = strict("Comp", {}, comp)

local function run(text, name, known)
  local chunk, fault = loadstring(text, "@" .. name)
  setfenv(chunk or error(fault, 0), world(known))
  local fine = fake.guarded("script", chunk)
  if locked ~= 0 or next(savers) then
    locked, savers = 0, {}
    fake.breaches[#fake.breaches + 1] = "Fusion: a script left the comp locked, or a Saver in it"
  end
  return fine
end

--- guide, Composition.RunScript: `fusion` and `composition` are set for it.
function comp.RunScript(_, name)
  local text = host.script(name) or breach("there is no script %s", tostring(name))
  run(text, name, {fusion = {}, composition = shown})
end

--- Press a button that bears a script: guide, Button Callbacks.
function fusion.click(id)
  run(inputs[id].attributes.BTNCS_Execute, id, {tool = node, comp = shown})
end

--- Run a script as its menu does.
function fusion.run_script(name)
  comp.RunScript(nil, name)
end

return fusion
