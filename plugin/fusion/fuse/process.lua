-- One frame: export what comes in, have it keyed, give out what comes back. Nothing is remembered between two frames, so
-- nothing can be stale. Where something is wrong the output is nil, which makes the tool fail, and the status says why.

--- Show a text in the node; only where it is new, since every change redraws the inspector.
local function show(words)
  if Inputs.Status:GetSource(0).Value ~= words then
    Inputs.Status:SetSource(Text(words), 0, 0)
  end
end

--- Layers to ask for: the usual ones, so that nodes which show different ones share their results, and the shown one.
local function layers_for(output)
  local layers, there = {}, false
  for index, name in ipairs(DEFAULT_LAYERS) do
    layers[index] = name
    there = there or name == output.layer
  end
  if output.layer and not there then
    layers[#layers + 1] = output.layer
  end
  return layers
end

local function rgba(layer)
  return {layer .. ".R", layer .. ".G", layer .. ".B", layer .. ".A"}
end

--- The picture that the artist asked for, out of the result.
local function composed(shot, path, output, request)
  local function read(channels)
    return shot.files:read(path, channels, request, shot.frame)
  end
  local channels = output.channels or (output.layer and rgba(output.layer)) or OUTPUTS[1].channels
  local image = read(channels)
  if #channels == 1 then
    return image:ChannelOpOf("Copy", image, {G = "fg.R", B = "fg.R"})
  elseif not output.shaded then
    return image
  end
  local gain = value("ResidualGain", request)
  if gain > 0 then
    local residual = read(rgba("residual"))
    residual:Gain(gain, gain, gain, 1)
    image = image:ChannelOpOf("Add", residual, {R = "fg.R", G = "fg.G", B = "fg.B"})
  end
  return read(rgba("shadow")):MergeOf(image, {MO_ApplyMode = "Merge", MO_ApplyOperator = "Over"})
end

local function report(shot, device, model, done)
  local found = done.report or {}
  local facts = {({made = "made", cache = "from the cache", fresh = "up to date"})[done.origin]}
  if found.inliers then
    facts[#facts + 1] = ("registered to %.2f px"):format(found.residual_p95_px or 0)
  end
  if found.valid_share then
    facts[#facts + 1] = ("plate covers %.1f %%"):format(100 * found.valid_share)
  end
  local lines = {("Frame %d: %s"):format(shot.time, table.concat(facts, ", ")), "Device: " .. device, "Model: " .. model}
  if shot.frame.ProxyScale ~= 1 then
    lines[#lines + 1] = ("Proxy %d:1; the final render keys the full picture."):format(shot.frame.ProxyScale)
  end
  for _, warning in ipairs(found.warnings or {}) do
    lines[#lines + 1] = warning
  end
  show(table.concat(lines, "\n"))
end

--- Ask the side-car; returns the device and what came of it.
local function have_keyed(wish)
  local device = "unknown"
  local link = side_car.connect(wanted)
  local asked, result = pcall(link.matte, link, wish, wanted, function(event)
    if event.event == "started" then
      device = event.device
    elseif event.event == "stage" then
      self:SetProgress(event.done)
    end
  end)
  link:close()
  if not asked then
    error(result, 0)
  end
  return device, result
end

local function key_in(folder, request, frame)
  local window = value("TemporalWindow", request)
  local shot = {folder = folder, frame = frame, time = request.Time}
  shot.number = math.max(math.floor(request.Time + 0.5), window) -- file names bear no negative numbers
  shot.files = exrio.open(folder.path, request, value("Writer", request) == 1)
  local function read(id)
    return value(id, request)
  end
  local output, space = OUTPUTS[read("Show") + 1], options.space(self.Name, read)
  local wish = export_all(shot, request, window)
  wish.colorspace, wish.output_colorspace, wish.ocio = space, space, options.config(read)
  wish.knobs, wish.layers = options.knobs(read, frame.ProxyScale), layers_for(output)
  wish.output = folder:result(("keyed.%04d.exr"):format(shot.number))
  local device, done = have_keyed(wish)
  local result = composed(shot, done.path, output, request)
  report(shot, device, wish.knobs.model, done)
  return result
end

local function key(request, frame)
  if not system then
    refuse("this Fusion gives Fuses no ffi, so the side-car cannot be called.", "Use the comp script PlateKey_Process.")
  elseif not frame then
    refuse("nothing arrives at the input 'Frame'.", "Connect the footage, or look at the tool above it.")
  end
  options.space(self.Name, function(id) return value(id, request) end)
  local folder = exchange.open(value("ExchangeFolder", request))
  local keyed, result = pcall(key_in, folder, request, frame)
  folder:remove()
  if not keyed then
    error(result, 0)
  end
  return result
end

function Process(request)
  local frame = Inputs.Frame:GetValue(request)
  if request:IsPreCalc() then -- only size and place are asked for
    OutImage:Set(request, frame and picture.new(request, frame, true))
    return
  end
  local keyed, result = pcall(key, request, frame)
  OutImage:Set(request, keyed and result or nil) -- nil: the tool fails, and no picture of another frame is shown
  if not (keyed or type(result) == "table" and result.cancelled) then
    local words = refusal.text(result)
    print(words)
    show(words)
  end
end
