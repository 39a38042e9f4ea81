-- What the node's controls say of a request: the same for the Fuse, which reads them in Process, and for the script that its
-- buttons run, which reads them by GetInput. `read` gives the value of a control by its id.

local options = {}

options.NOT_CHOSEN = -99999 -- a clean plate frame that no artist means

-- Scene-linear spaces of the shipped colour configuration. Fusion does not tell which one its pixels are in.
options.SPACES = {
  "ACEScg", "Linear Rec.709 (sRGB)", "ACES2065-1", "Linear Rec.2020", "Linear P3-D65", "Linear DaVinci WideGamut",
}

--- The working space.
-- @param node its name, for the sentence where none is chosen.
function options.space(node, read)
  local index = read("Space")
  local space = index > #options.SPACES and read("OtherSpace") or options.SPACES[index]
  if not space or space == "" then
    refusal.raise(node .. ": its working space is not chosen.",
      "Choose the space that the pixels are in; Fusion does not tell it.")
  end
  return space
end

--- The OCIO configuration; nil for the shipped one.
function options.config(read)
  local config = read("Config")
  return config ~= "" and config or nil
end

local function knob_value(knob, found, scale)
  if knob.kind == "choice" then
    return knob.choices[found + 1].name
  elseif knob.kind == "switch" then
    return found > 0.5
  elseif knob.unit == "px" then
    return found / scale -- a distance of the full picture
  end
  return found
end

--- Value by knob name, of all that a result depends on.
-- @param scale of the picture: 2 where it is a proxy of half the size.
function options.knobs(read, scale)
  local values = {}
  for _, knob in ipairs(KNOBS) do
    if not knob.merge_only then
      values[knob.name] = knob_value(knob, read(knob.id), scale)
    end
  end
  return values
end

return options
