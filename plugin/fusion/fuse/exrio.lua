-- EXRIO, the reader and writer of EXR that Fusion gives to Fuses. Its reading half is in daily use (Cryptomatte); of its
-- writing half the names are known but no example is. So nothing is taken for granted: `exrio.open` makes a file of four
-- known pixels, and a way to read or write is used only if these come back bit for bit, in this very host.

local exrio = {}

local CHANNELS = {CHAN_RED, CHAN_GREEN, CHAN_BLUE, CHAN_ALPHA}
local COLOUR, MASK = {"A", "B", "G", "R"}, {"A"} -- of a file; the format wants them in alphabetical order
local WHOLE = {"R", "G", "B", "A"}
-- Two rows of two pixels: a third, which half cannot hold, a highlight, a negative; no two pixels alike, so that a
-- flipped or mirrored picture is seen.
local PROOF = {{1 / 3, 40, -0.25, 1}, {0, 0.5, 1 / 7, 0}, {2, -3, 1 / 9, 0.25}, {1 / 11, 5, 6, 0.75}}

-- How a channel is bound to a picture: by its place in the list that ReadPart and WritePart get (Cryptomatte 1.2.4 and
-- later), or by the picture itself (Cryptomatte up to 1.2.1, Fusion 9).
local SPELLINGS = {
  function(exr, name, _, channel) exr:Channel(name, ANY_TYPE, 1, channel) end,
  function(exr, name, image, channel) exr:Channel(name, ANY_TYPE, image, channel) end,
}

--- Work with an open file, close it, and return true; or false and what EXRIO says.
local function attempt(work)
  local exr = EXRIO()
  local ran, fine = pcall(work, exr)
  local _, fault = pcall(exr.GetLastError, exr)
  pcall(exr.Close, exr)
  if type(fault) ~= "string" or fault == "" then
    fault = not ran and tostring(fine) or nil
  end
  return ran and fine ~= false and not fault, fault or "no reason given"
end

local function bind(exr, names, image, spelling)
  for index, name in pairs(names) do
    spelling(exr, name, image, CHANNELS[index])
  end
end

local function read(path, names, image, spelling)
  return attempt(function(exr)
    exr:ReadOpen(path, -1) -- -1: the name is whole, no frame number is to be put into it
    if exr:ReadHeader() == false then
      return false
    end
    exr:Part(1)
    bind(exr, names, image, spelling)
    return exr:ReadPart(1, {image})
  end)
end

local function write(path, names, image, spelling)
  return attempt(function(exr)
    local frame = ImgRectI(0, 0, image.Width, image.Height)
    exr:WriteOpen(path, -1)
    exr:Part("", frame, frame, image.XScale / image.YScale)
    bind(exr, names, image, spelling)
    return exr:WriteHeader() ~= false and exr:WritePart(1, {image})
  end)
end

--- Two by two pixels that no picture has by chance.
local function proof(request)
  local like = {Width = 2, Height = 2, OriginalWidth = 2, OriginalHeight = 2, XScale = 1, YScale = 1, ProxyScale = 1}
  local image, pixel = picture.new(request, like), Pixel()
  for index, values in ipairs(PROOF) do
    pixel.R, pixel.G, pixel.B, pixel.A = unpack(values)
    image:SetPixel((index - 1) % 2, math.floor((index - 1) / 2), pixel)
  end
  return image
end

local function same(one, other)
  local a, b = Pixel(), Pixel()
  for index = 0, 3 do
    one:GetPixel(index % 2, math.floor(index / 2), a)
    other:GetPixel(index % 2, math.floor(index / 2), b)
    if a.R ~= b.R or a.G ~= b.G or a.B ~= b.B or a.A ~= b.A then
      return false
    end
  end
  return true
end

local Exchange = {}
Exchange.__index = Exchange

--- Find out how this Fusion reads and writes EXR.
-- @param folder that takes two small files for a moment.
-- @param may_write whether EXRIO is to write too, where it does so exactly; else GetPixel does (picture.lua).
function exrio.open(folder, request, may_write)
  local known, path = proof(request), folder .. system.separator .. "proof.exr"
  local found, reason = {}, "it is not there"
  picture.write(path, known, COLOUR, function() end)
  for _, spelling in ipairs(SPELLINGS) do
    local image = picture.new(request, known)
    local fine, fault = read(path, WHOLE, image, spelling)
    if fine and same(image, known) then
      found.spelling = spelling
      break
    end
    reason = fine and "it reads other pixels than the file holds" or fault
  end
  if found.spelling and may_write then
    local image = picture.new(request, known)
    found.writes = write(path, WHOLE, known, found.spelling) and read(path, WHOLE, image, found.spelling) and same(image, known)
  end
  system.remove_file(path)
  if not found.spelling then
    refusal.raise(("This Fusion lets no Fuse read EXR files (EXRIO: %s)."):format(reason),
      "Use the comp script PlateKey_Process, and say which Fusion this is.")
  end
  return setmetatable(found, Exchange)
end

--- Write a picture: RGBA, or its alpha where `as_mask` or where it has nothing else.
function Exchange:write(path, image, as_mask, wanted)
  local mask = as_mask or picture.is_mask(image)
  if self.writes and picture.fills_frame(image) then
    if write(path, mask and {[4] = "A"} or WHOLE, image, self.spelling) then
      return
    end
  end
  picture.write(path, image, mask and MASK or COLOUR, wanted)
end

--- Read channels of a file into a new picture.
-- @param names red, green, blue, alpha; where fewer are named the others are 0, alpha 1.
function Exchange:read(path, names, request, like)
  local image = picture.new(request, like)
  image:Fill(Pixel({R = 0, G = 0, B = 0, A = 1}))
  image:SetCanvasColor(Pixel({R = 0, G = 0, B = 0, A = 0})) -- which Fill has changed too
  local fine, fault = read(path, names, image, self.spelling)
  if not fine then
    refusal.raise(("The result %s cannot be read: %s."):format(path, fault), "Press 'Try again'.")
  end
  return image
end

return exrio
