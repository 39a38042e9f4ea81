-- What the buttons of a PlateKey ask about the whole shot: whether its plate can work, and for a model of its own. Fusion
-- runs this beside itself (Scripting Guide, Fusion Instance), so that it renders and redraws meanwhile; of the node only
-- the answer changes, and the model where adapting helped.

local comp = composition

local MEASURED, LEARNED = 5, 16 -- frames that are looked at, and learned from, as the side-car does
local ADAPTED, INITIAL = "shot-", "platenet" -- how an adapted model's name begins; the model to adapt where that is chosen
local KIND = "Fuse.PlateKey"

local function say(node, words)
  if node:GetInput("Answer") ~= words then -- each change redraws the inspector
    node:SetInput("Answer", words)
  end
end

--- The node whose button was pressed, and which one.
local function asked()
  for _, node in pairs(comp:GetToolList(false, KIND)) do
    local question = node:GetInput("Ask")
    if question ~= 0 then
      node:SetInput("Ask", 0)
      node:SetInput("StopAsking", 0)
      return node, question
    end
  end
  return nil
end

--- At most so many of the frames, evenly spread, both ends among them.
local function spread(frames, most)
  if #frames <= most then
    return frames
  end
  local chosen = {}
  for index = 0, most - 1 do
    chosen[index + 1] = frames[math.floor(index * (#frames - 1) / (most - 1) + 0.5) + 1]
  end
  return chosen
end

--- Frames of the comp's render range that show the subject, and the clean plate's own frame where none is connected.
local function frames_of(node, most)
  local held
  if not node.CleanPlate:GetConnectedOutput() then
    held = node:GetInput("PlateFrame")
    if held == options.NOT_CHOSEN then
      refusal.raise(node.Name .. ": there is no clean plate.",
        "Connect one, or go to a frame without the subject and press 'Use current frame'.")
    end
  end
  local attributes, frames = comp:GetAttrs(), {}
  for frame = math.max(attributes.COMPN_RenderStart, 0), attributes.COMPN_RenderEnd do -- file names bear no negative numbers
    frames[#frames + 1] = frame ~= held and frame or nil
  end
  if #frames == 0 or (held or 0) < 0 then
    refusal.raise(node.Name .. ": the render range holds no frame but the clean plate's, or frames below 0 alone.",
      "Widen the comp's render range to frames with the subject.")
  end
  return spread(frames, most), held
end

--- Export what a question needs; returns what of it names the files.
local function export_all(export, frames, held, mattes)
  local wish = {frames = export:pattern("frame"), frame_range = table.concat(frames, ",")}
  local plate = not held and "CleanPlate" or nil
  wish.clean_plate = held and tostring(held) or export:pattern("plate")
  if held then
    export:render("Frame", "frame", held)
  end
  for _, frame in ipairs(frames) do
    export:render("Frame", "frame", frame)
    if plate then
      export:render(plate, "plate", frame)
    end
    for name, id in pairs(mattes) do
      export:render(id, name, frame)
      wish[name] = export:pattern(name)
    end
  end
  return wish
end

--- Export, call a method of the link, and return its answer. `more` adds what only this question says.
local function ask(node, method, most, more)
  local function wanted()
    if node:GetInput("StopAsking") ~= 0 then
      refusal.cancel()
    end
  end
  local function read(id)
    return node:GetInput(id)
  end
  local space = options.space(node.Name, read)
  if not node.Frame:GetConnectedOutput() then
    refusal.raise(node.Name .. ": nothing is connected to the input 'Frame'.", "Connect the footage.")
  end
  local frames, held = frames_of(node, most)
  local folder = exchange.open(read("ExchangeFolder"))
  local export = footage.open(comp, node, folder, wanted)
  local fine, found = pcall(function()
    local mattes = {}
    for name, id in pairs(method == "adapt" and {garbage = "Garbage", core = "Core", hint = "Hint"} or {}) do
      mattes[name] = export:has(id) and id or nil
    end
    say(node, ("Exporting %d frames"):format(#frames))
    local wish = export_all(export, frames, held, mattes)
    wish.colorspace, wish.output_colorspace, wish.ocio = space, space, options.config(read)
    wish.knobs = options.knobs(read, 1)
    more(wish)
    say(node, "Waiting for the engine")
    local link = side_car.connect(wanted)
    local answered, answer_or_raised = pcall(link.ask, link, method, wish, wanted, function(event)
      say(node, ("%3d %%  %s"):format(100 * (event.done or 0), event.message or ""))
    end)
    link:close()
    return answered and answer_or_raised or error(answer_or_raised, 0)
  end)
  export:close()
  folder:remove()
  return fine and found or error(found, 0)
end

--- A name that no model has. Each adaptation makes a model of its own: were one replaced, frames that Fusion holds already
-- would be of other weights than those beside them.
local function new_name()
  return ADAPTED .. ("%08x%04x"):format(os.time(), system.process_id() % 65536)
end

--- Where the model's file goes: beside the comp, or into PlateKey's folder where the comp is no file, as in Resolve.
local function model_file(name)
  local beside = (comp:GetAttrs().COMPS_FileName or ""):match("^(.*)[/\\]")
  local folder = (beside or side_car.home()) .. system.separator .. (beside and "platekey" or "adapted")
  exchange.make(side_car.home())
  exchange.make(folder)
  return folder .. system.separator .. name .. ".safetensors"
end

local function inspect(node)
  return answer.inspection(ask(node, "inspect", MEASURED, function() end))
end

local function adapt(node)
  local found = ask(node, "adapt", LEARNED, function(wish)
    local own = wish.knobs.model == node:GetInput("Adapted")
    wish.knobs.model = own and INITIAL or wish.knobs.model
    wish.name, wish.overwrite = new_name(), true
    wish.output = model_file(wish.name)
  end)
  if found.helped then
    node:SetInput("Adapted", found.name)
    node:SetInput("Model", found.name)
  end
  return answer.adaptation(found)
end

local QUESTIONS = {
  {work = inspect, cancelled = "The inspection was cancelled. Inspect again when it suits."},
  {work = adapt, cancelled = "Adapting was cancelled. Adapt again to go on where it was."},
}

local node, question = asked()
if not node then
  print("PlateKey was asked nothing. Press 'Inspect plate' or 'Adapt to this shot' in a PlateKey.")
elseif not system then
  say(node, "This Fusion gives scripts no ffi, so the side-car cannot be called. Use the command line: platekey inspect, adapt.")
else
  local fine, words = pcall(QUESTIONS[question].work, node)
  if not fine then
    words = type(words) == "table" and words.cancelled and QUESTIONS[question].cancelled or answer.error(words)
  end
  say(node, words)
  print(node.Name .. ": " .. words)
end
