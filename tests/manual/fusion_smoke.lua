--[[ PlateKey in a real Fusion or Resolve: what nobody could try without a licence.

1. pip install "platekey[engine]", then `platekey install fusion` (or `resolve`), and start the host again.
2. Open an empty comp (in Resolve: the Fusion page of a Fusion composition).
3. In the Console, with Lua chosen: dofile("/path/to/fusion_smoke.lua")
4. Send back what it prints, with the version and edition of the host and the system it ran on.

It adds tools to the comp, renders five frames into the temporary folder, and removes both again. Lines begin with "ok",
"FAILED", or "tell" for what is only to be reported. The first frame starts the engine, which may take a minute.
--]]

local SPACE_LINEAR_REC709 = 2 -- in the node's menu
local folder = (os.getenv("TEMP") or os.getenv("TMPDIR") or "/tmp") .. "/"
local failures = 0

local function tell(what, found)
  print(("tell   %s: %s"):format(what, tostring(found)))
end

local function check(what, holds, found)
  failures = failures + (holds and 0 or 1)
  print(("%s %s%s"):format(holds and "ok    " or "FAILED", what, holds and "" or ": " .. tostring(found)))
end

local function size_of(path)
  local file = io.open(path, "rb")
  local size = file and file:seek("end")
  if file then
    file:close()
  end
  return size
end

-- ---- the host --------------------------------------------------------------------------------------------------

local host = comp:GetApp()
tell("host", host:GetAttrs().FUSIONS_FileName)
tell("version", host.Version or host:GetAttrs().FUSIONS_Version)
tell("Lua", jit and jit.version or _VERSION)
tell("ffi", type(ffi) == "table" or pcall(require, "ffi"))
local known, exr = pcall(function() return EXRIO() end)
tell("EXRIO", known)
for _, name in ipairs({"Part", "Channel", "ReadPart", "WriteOpen", "WriteHeader", "WritePart", "_PartW", "_WritePart"}) do
  tell("EXRIO:" .. name, known and select(2, pcall(function() return exr[name] ~= nil end)))
end

-- ---- a set, a subject in it, and the node ----------------------------------------------------------------------

comp:Lock()
comp:StartUndo("PlateKey smoke test")
local tools = {}

local function add(kind, values)
  local tool = comp:AddTool(kind, 0, #tools)
  tools[#tools + 1] = tool
  for name, value in pairs(values or {}) do
    tool[name] = value
  end
  return tool
end

local set = add("FastNoise", {Width = 320, Height = 180, Depth = 4, Detail = 6, Contrast = 1.5, XScale = 12})
local subject = add("Background", {Width = 320, Height = 180, Depth = 4, TopLeftRed = 0.7, TopLeftGreen = 0.3, TopLeftBlue = 0.2})
local shape = add("EllipseMask", {MaskWidth = 0.3, MaskHeight = 0.6})
subject.EffectMask = shape.Mask
local frame = add("Merge", {Background = set.Output, Foreground = subject.Output})
local key = add("Fuse.PlateKey", {})
check("the Fuse is there", key ~= nil, "comp:AddTool('Fuse.PlateKey') gave nothing")

if key then
  key.Frame = frame.Output
  key.CleanPlate = set.Output
  key.Space = SPACE_LINEAR_REC709
  local saver = add("Saver", {Input = key.Output})

  --- Render one frame of the node; returns success, seconds, and the file's bytes.
  local function render(time)
    saver.Clip = folder .. "platekey_smoke.0000.exr"
    local path = ("%splatekey_smoke.%04d.exr"):format(folder, time)
    os.remove(path)
    local began = os.time()
    local done = comp:Render({Tool = saver, Start = time, End = time, Wait = true})
    local size = size_of(path)
    os.remove(path)
    return done and size ~= nil, os.time() - began, size
  end

  local function status()
    return tostring(key:GetInput("Status")):gsub("\n", " | ")
  end

  local done, seconds, size = render(1)
  check("a frame is keyed", done, status())
  tell("first frame, seconds with the engine's start", seconds)
  tell("status", status())
  tell("bytes of the saved result", size)

  done, seconds = render(2)
  check("another one", done, status())
  tell("seconds", seconds)

  key.Writer = 1
  done, seconds = render(3)
  check("with EXRIO writing where it proves exact", done, status())
  tell("seconds", seconds)
  key.Writer = 0

  key.Space = 0
  done = render(4)
  check("without a working space the tool fails", not done, "it rendered")
  check("and says why", status():find("working space", 1, true) ~= nil, status())
  key.Space = SPACE_LINEAR_REC709

  key.CleanPlate = nil
  done = render(5)
  check("without a clean plate the tool fails", not done, "it rendered")
  check("and says why", status():find("no clean plate", 1, true) ~= nil, status())
end

for place = #tools, 1, -1 do
  tools[place]:Delete()
end
comp:EndUndo(true)
comp:Unlock()
print(failures == 0 and "all is well" or ("%d checks failed"):format(failures))
print("By hand, please: press 'Use current frame', 'Inspect plate' and 'Adapt to this shot'; press Esc while a frame is keyed; play; render on the Deliver page.")
