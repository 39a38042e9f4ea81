-- The fake's EXRIO, on real files. Sources of the rules: fake_fusion_rules.lua.

local fake = ...
local host, variant, breach, during, strict, set_of =
  fake.host, fake.variant, fake.breach, fake.during, fake.strict, fake.set_of

local Images, behind, address = fake.images, fake.behind, fake.address

-- ---- EXRIO -----------------------------------------------------------------------------------------------------
-- Names and order of calls: Cryptomatte for reading, reflected for writing. `variant.exrio`: "index" or "image" for how a
-- channel is bound, "none" for no way at all; `variant.writes`: true, false, or how the written file is wrong.

local ANY_TYPE, CHAN_RED, CHAN_GREEN, CHAN_BLUE, CHAN_ALPHA = 99, 0, 1, 2, 3

local function EXRIO()
  during("EXRIO", "process")
  local path, mode, step, bound, fault = nil, nil, "made", {}, ""
  local handle = {}
  local function follows(name, wanted)
    if step ~= wanted then
      breach("EXRIO: %s after %s", name, step)
    end
  end
  local function opened(name, file, frame, how)
    follows(name, "made")
    if type(file) ~= "string" or frame ~= -1 then
      breach("EXRIO: %s wants a whole name and -1", name)
    end
    path, mode, step, fake.open_files[handle] = file, how, "open", true
  end
  function handle.ReadOpen(_, file, frame) opened("ReadOpen", file, frame, "read") end
  function handle.ReadHeader()
    follows("ReadHeader", "open")
    fault = host.exr_fault(path) or ""
    step = "header"
    return fault == ""
  end
  function handle.Part(_, part, display, data, aspect)
    follows("Part", mode == "read" and "header" or "open")
    if mode == "read" and part ~= 1 or mode == "write" and not (display and data and aspect) then
      breach("EXRIO: there is no part %s", tostring(part))
    end
    step = "part"
  end
  function handle.Channel(_, name, kind, target, channel)
    follows("Channel", "part")
    if variant.exrio == "none" or (variant.exrio == "image") ~= (Images[target] ~= nil) then
      error("bad argument #3 to 'Channel'", 0) -- what a wrapper of ffi does with an unforeseen type
    elseif kind ~= ANY_TYPE then
      breach("EXRIO: channel type %s", tostring(kind))
    end
    bound[#bound + 1] = {name = name, channel = channel}
  end
  function handle.ReadPart(_, part, images)
    follows("ReadPart", "part")
    local image = images[part]
    for _, it in ipairs(bound) do
      fault = host.read_channel(path, it.name, address(image), it.channel, image.Width, image.Height) or fault
    end
    behind(image, true)
    step = "done"
    return fault == ""
  end
  function handle.WriteOpen(_, file, frame) opened("WriteOpen", file, frame, "write") end
  function handle.WriteHeader() follows("WriteHeader", "part") step = "ready" return true end
  function handle.WritePart(_, part, images)
    follows("WritePart", "ready")
    local image, names = images[part], {}
    for _, it in ipairs(bound) do
      names[it.channel + 1] = it.name
    end
    fault = host.write_exr(path, names[1], names[2], names[3], names[4], address(image), image.Width, image.Height,
      image.XScale / image.YScale, variant.writes) or ""
    step = "done"
    return fault == ""
  end
  function handle.Close() step, fake.open_files[handle] = "closed", nil return true end
  function handle.GetLastError() return fault end
  if not variant.writes then
    handle.WriteOpen, handle.WriteHeader, handle.WritePart = nil, nil, nil
  end
  return handle
end


fake.EXRIO = EXRIO
fake.constants = {ANY_TYPE = ANY_TYPE, CHAN_RED = CHAN_RED, CHAN_GREEN = CHAN_GREEN, CHAN_BLUE = CHAN_BLUE, CHAN_ALPHA = CHAN_ALPHA}
