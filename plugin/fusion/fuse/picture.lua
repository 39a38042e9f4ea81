-- Pictures of Fusion's: new ones, their pixels, and an EXR written from them by documented calls alone.
-- Fusion counts rows from the bottom and OpenEXR from the top.

local picture = {}

local FLOAT = 8 -- IMG_Depth: four channels of 32 bit float (Fuse SDK, Image attributes)
local MASK_DEPTHS = 4 -- depths up to this one have an alpha channel only

--- A new picture in float, of another's size and place in the comp. Its pixels are undefined, or absent.
function picture.new(request, like, without_pixels)
  return Image({
    IMG_Document = self.Comp,
    {IMG_Channel = "Red"},
    {IMG_Channel = "Green"},
    {IMG_Channel = "Blue"},
    {IMG_Channel = "Alpha"},
    IMG_Width = like.Width,
    IMG_Height = like.Height,
    IMG_XScale = like.XScale,
    IMG_YScale = like.YScale,
    IMAT_OriginalWidth = like.OriginalWidth,
    IMAT_OriginalHeight = like.OriginalHeight,
    IMG_ProxyScale = like.ProxyScale,
    IMG_Quality = not request:IsQuick(),
    IMG_MotionBlurQuality = not request:IsNoMotionBlur(),
    IMG_Depth = FLOAT,
    IMG_NoData = without_pixels,
  })
end

--- Whether it has an alpha channel only.
function picture.is_mask(image)
  return image.Depth <= MASK_DEPTHS
end

--- The rectangle that holds pixels: left, bottom, right, top; right and top are the first column and row beyond it.
local function data_window(image)
  local window = image.DataWindow
  if not window then
    return 0, 0, image.Width, image.Height
  end
  return window.left, window.bottom, window.right, window.top
end

--- Whether pixels fill its frame and nothing more.
function picture.fills_frame(image)
  local left, bottom, right, top = data_window(image)
  return left == 0 and bottom == 0 and right == image.Width and top == image.Height
end

local function bytes_of(kind, ...)
  local value = ffi.new(kind .. "[?]", select("#", ...), {...})
  return ffi.string(value, ffi.sizeof(value))
end

local function attribute(name, kind, value)
  return name .. "\0" .. kind .. "\0" .. bytes_of("int32_t", #value) .. value
end

--- The header of an uncompressed, top to bottom, single part file with 32 bit float channels ("OpenEXR File Layout",
-- openexr.com). Its data and display windows are the picture's frame.
local function header(image, names)
  local channels = {}
  for index, name in ipairs(names) do
    channels[index] = name .. "\0" .. bytes_of("int32_t", 2, 0, 1, 1) -- FLOAT, not perceptual, every column and row
  end
  local frame = bytes_of("int32_t", 0, 0, image.Width - 1, image.Height - 1)
  return bytes_of("int32_t", 20000630, 2)
    .. attribute("channels", "chlist", table.concat(channels) .. "\0")
    .. attribute("compression", "compression", "\0")
    .. attribute("dataWindow", "box2i", frame)
    .. attribute("displayWindow", "box2i", frame)
    .. attribute("lineOrder", "lineOrder", "\0")
    .. attribute("pixelAspectRatio", "float", bytes_of("float", image.XScale / image.YScale))
    .. attribute("screenWindowCenter", "v2f", bytes_of("float", 0, 0))
    .. attribute("screenWindowWidth", "float", bytes_of("float", 1))
    .. "\0"
end

--- Where each row's block begins, as the file states it.
local function offsets(image, first, block)
  local places = ffi.new("uint64_t[?]", image.Height)
  for row = 0, image.Height - 1 do
    places[row] = first + image.Height * 8 + row * block
  end
  return ffi.string(places, ffi.sizeof(places))
end

--- A function that fills a row, counted from the top, into `width` values a channel, channels in the file's order.
-- What lies outside the data window has the canvas colour, which GetPixel does not supply by itself.
local function row_reader(image, names)
  local left, bottom, right, top = data_window(image)
  local pixel, canvas = Pixel(), Pixel()
  image:GetCanvasColor(canvas)
  return function(row, values)
    local y = image.Height - 1 - row
    for x = 0, image.Width - 1 do
      local found = canvas
      if x >= left and x < right and y >= bottom and y < top then
        image:GetPixel(x, y, pixel)
        found = pixel
      end
      for index, name in ipairs(names) do
        values[(index - 1) * image.Width + x] = found[name]
      end
    end
  end
end

--- Write an EXR with the documented GetPixel.
-- @param names of the channels in alphabetical order, as the format demands; each one is a member of Pixel.
-- @param wanted raises where Fusion no longer wants the frame.
function picture.write(path, image, names, wanted)
  local file = system.open(path, "wb")
  if not file then
    refusal.raise(("The file %s cannot be written."):format(path), "Free some space, or choose another exchange folder.")
  end
  local start = header(image, names)
  local values = ffi.new("float[?]", image.Width * #names)
  local size = ffi.sizeof(values)
  local fill = row_reader(image, names)
  local written = file:write(start) and file:write(offsets(image, #start, size + 8))
  local finished, raised = pcall(function()
    for row = 0, image.Height - 1 do
      wanted()
      fill(row, values)
      written = written and file:write(bytes_of("int32_t", row, size)) and file:write(ffi.string(values, size))
    end
  end)
  local closed = file:close()
  if not finished then
    error(raised, 0)
  elseif not (written and closed) then
    refusal.raise(("The file %s could not be written whole."):format(path), "Free some space, or choose another exchange folder.")
  end
end

return picture
