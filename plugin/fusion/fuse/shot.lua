-- What a frame needs: read from the node's inputs and controls, checked, and written as EXR files.

local function value(id, request)
  return Inputs[id]:GetValue(request).Value
end

local function refuse(sentence, next_step)
  refusal.raise(self.Name .. ": " .. sentence, next_step)
end

--- End the frame where Fusion has given it up.
local function wanted()
  if self.Status ~= "OK" then
    refusal.cancel()
  end
end

local function same_format(image, frame, what)
  if image.Width ~= frame.Width or image.Height ~= frame.Height then
    local sizes = {image.Width, image.Height, frame.Width, frame.Height}
    refuse(("the %s is %dx%d, the frame is %dx%d."):format(what, unpack(sizes)),
      ("Reformat the %s to the frame's format before it enters the node."):format(what))
  end
  return image
end

--- What arrives at an optional input; nil where nothing is connected.
local function arriving(id, request, frame, what)
  local image = Inputs[id]:GetValue(request)
  if image then
    return same_format(image, frame, what)
  elseif Inputs[id]:GetAttr("INP_Connected") then
    refuse(("nothing arrives at the input '%s'."):format(what), "Look at the tool above it.")
  end
  return nil
end

--- The clean plate out of the footage itself, at the frame that the artist has chosen.
local function held_plate(request, frame)
  local number = value("PlateFrame", request)
  if number == options.NOT_CHOSEN then
    refuse("there is no clean plate.", "Connect one, or go to a frame without the subject and press 'Use current frame'.")
  end
  local image = Inputs.Frame:GetSource(number)
  if not image then
    refuse(("the clean plate's frame %d is outside the clip."):format(number),
      "Go to a frame without the subject and press 'Use current frame'.")
  end
  return same_format(image, frame, "clean plate")
end

--- Export a picture; returns its path.
local function export(shot, name, image, as_mask)
  wanted()
  local path = shot.folder:file(name)
  shot.files:write(path, image, as_mask, wanted)
  return path
end

--- Export the frame's neighbours, outwards until the clip ends, and behind each its clean plate where that moves.
local function export_neighbours(shot, window, plate_moves)
  for _, direction in ipairs({-1, 1}) do
    for step = direction, direction * window, direction do
      local image = Inputs.Frame:GetSource(shot.time + step)
      local plate = plate_moves and Inputs.CleanPlate:GetSource(shot.time + step)
      if not image or (plate_moves and not plate) then
        break
      end
      export(shot, ("frame.%04d.exr"):format(shot.number + step), image)
      if plate then
        export(shot, ("plate.%04d.exr"):format(shot.number + step), same_format(plate, shot.frame, "clean plate"))
      end
    end
  end
end

--- Write every picture that the side-car needs; returns what of the request names them.
local function export_all(shot, request, window)
  local pattern = shot.folder.path .. system.separator .. "%s.####.exr"
  local asked = {frames = pattern:format("frame"), frame_range = tostring(shot.number)}
  local plate = arriving("CleanPlate", request, shot.frame, "clean plate")
  local held = not plate and held_plate(request, shot.frame)
  local mattes = {}
  for name, id in pairs({garbage = "Garbage", core = "Core", hint = "Hint"}) do
    mattes[name] = arriving(id, request, shot.frame, name == "hint" and "hint" or name .. " matte")
  end
  export(shot, ("frame.%04d.exr"):format(shot.number), shot.frame)
  if held then
    asked.clean_plate = export(shot, "plate.exr", held)
  else
    export(shot, ("plate.%04d.exr"):format(shot.number), plate)
    asked.clean_plate = pattern:format("plate")
  end
  for name, image in pairs(mattes) do
    asked[name] = export(shot, name .. ".exr", image, true)
  end
  export_neighbours(shot, window, plate ~= nil)
  return asked
end
