-- The fake's pictures: parameters, Image, Pixel. Sources of the rules: fake_fusion_rules.lua.

local fake = ...
local host, variant, breach, during, strict, set_of =
  fake.host, fake.variant, fake.breach, fake.during, fake.strict, fake.set_of

local ffi = require("ffi")
local JUNK = -12345.5 -- in pixels that nobody has written yet: "its pixels may contain old data" (SDK, Image)

-- ---- parameters ------------------------------------------------------------------------------------------------

ffi.cdef("struct fake_pixel { float R, G, B, A; };") -- reflected: FltPixel
local new_pixel = ffi.metatype("struct fake_pixel", {__index = {Clear = function(p) p.R, p.G, p.B, p.A = 0, 0, 0, 0 end}})

local function Pixel(values)
  local pixel = new_pixel()
  for name, value in pairs(values or {}) do
    pixel[name] = value
  end
  return pixel
end

local Kinds = setmetatable({}, {__mode = "k"})

local function parameter(kind, value, expected)
  if type(value) ~= expected then
    breach("%s(%s): a %s is needed", kind, tostring(value), expected)
  end
  local made = strict(kind, {Value = value}, {})
  Kinds[made] = kind
  return made
end

local function Number(value)
  return parameter("Number", value, "number")
end

local function Text(value)
  return parameter("Text", value, "string")
end

local function ImgRectI(left, bottom, right, top) -- seen: in this order
  return {left = left, bottom = bottom, right = right, top = top}
end

-- ---- Image -----------------------------------------------------------------------------------------------------

local IMAGE_ATTRIBUTES = set_of([[IMG_Like IMG_CopyChannels IMG_CopyChannelsAux IMG_Width IMG_Height IMG_XScale IMG_YScale
  IMAT_OriginalWidth IMAT_OriginalHeight IMG_Depth IMG_Quality IMG_ProxyScale IMG_MotionBlurQuality IMG_NoData IMG_Document
  IMG_DataWindow IMG_ValidWindow]]) -- SDK, Image attributes
local CHANNELS = set_of([[Red Green Blue Alpha BgRed BgGreen BgBlue BgAlpha Z Coverage Object Material U V W NormalX NormalY
  NormalZ PositionX PositionY PositionZ VectorX VectorY BackVectorX BackVectorY DisparityX DisparityY]])
local Images = setmetatable({}, {__mode = "k"}) -- what lies behind an image: pixels, canvas, whether it may be written
local Methods = {}

local function behind(image, writing)
  local hidden = Images[image]
  if not hidden then
    breach("%s is no image", tostring(image))
  elseif not hidden.pixels then
    breach("an image without data has no pixels")
  elseif writing and hidden.read_only then
    breach("an input's image is Fusion's own and must not be written")
  end
  return hidden
end

local function make_image(facts)
  local members = {
    Width = facts.width, Height = facts.height, OriginalWidth = facts.original_width or facts.width,
    OriginalHeight = facts.original_height or facts.height, XScale = facts.x_scale or 1, YScale = facts.y_scale or 1,
    ProxyScale = facts.proxy or 1, Depth = facts.depth or 8,
    DataWindow = facts.window or ImgRectI(0, 0, facts.width, facts.height),
  }
  local image = strict("Image", members, Methods)
  local hidden = {read_only = facts.read_only, canvas = Pixel()}
  if not facts.without_pixels then
    hidden.pixels = ffi.new("float[?]", facts.width * facts.height * 4)
    for index = 0, facts.width * facts.height * 4 - 1 do
      hidden.pixels[index] = JUNK
    end
  end
  Images[image] = hidden
  return image
end

local function address(image)
  return tonumber(ffi.cast("intptr_t", Images[image].pixels))
end

local function Image(attributes)
  during("Image", "process")
  for name, value in pairs(attributes) do
    if type(name) == "number" and not CHANNELS[value.IMG_Channel] then
      breach("there is no channel %s", tostring(value.IMG_Channel))
    elseif type(name) == "string" and not IMAGE_ATTRIBUTES[name] then
      breach("Image has no attribute %s", name)
    end
  end
  local like = attributes.IMG_Like or {}
  local without_pixels = attributes.IMG_NoData == true
  if fake.request.precalc and not without_pixels then
    breach("a precalc request wants IMG_NoData") -- SDK: "Has to be set to true during a precalc request"
  elseif attributes.IMG_Depth and not (attributes.IMG_Depth >= 1 and attributes.IMG_Depth <= 8) then
    breach("there is no depth %s", tostring(attributes.IMG_Depth))
  elseif not attributes.IMG_Like and not (attributes.IMG_Width and attributes.IMG_Height) then
    breach("an image needs a size")
  end
  return make_image({
    width = attributes.IMG_Width or like.Width, height = attributes.IMG_Height or like.Height,
    original_width = attributes.IMAT_OriginalWidth, original_height = attributes.IMAT_OriginalHeight,
    x_scale = attributes.IMG_XScale or like.XScale, y_scale = attributes.IMG_YScale or like.YScale,
    proxy = attributes.IMG_ProxyScale or like.ProxyScale, depth = attributes.IMG_Depth or like.Depth,
    without_pixels = without_pixels,
  })
end

local function at(image, x, y, writing)
  local hidden = behind(image, writing)
  local window = image.DataWindow -- SDK: "must always be within image bounds"; reflected: no pixels beyond it
  if x < window.left or x >= window.right or y < window.bottom or y >= window.top then
    breach("pixel %s, %s lies outside the image", tostring(x), tostring(y))
  end
  return hidden.pixels + (y * image.Width + x) * 4
end

function Methods.GetPixel(image, x, y, pixel)
  local here = at(image, x, y)
  pixel.R, pixel.G, pixel.B, pixel.A = here[0], here[1], here[2], here[3]
end

function Methods.SetPixel(image, x, y, pixel)
  local here = at(image, x, y, true)
  here[0], here[1], here[2], here[3] = pixel.R, pixel.G, pixel.B, pixel.A
end

local function each_pixel(image, work)
  local pixels = behind(image).pixels
  for index = 0, image.Width * image.Height - 1 do
    work(pixels + index * 4, index)
  end
  return image
end

function Methods.Fill(image, pixel)
  behind(image, true).canvas = Pixel({R = pixel.R, G = pixel.G, B = pixel.B, A = pixel.A}) -- SDK: it changes the canvas
  each_pixel(image, function(p) p[0], p[1], p[2], p[3] = pixel.R, pixel.G, pixel.B, pixel.A end)
end

function Methods.SetCanvasColor(image, pixel)
  behind(image, true).canvas = Pixel({R = pixel.R, G = pixel.G, B = pixel.B, A = pixel.A})
end

function Methods.GetCanvasColor(image, pixel)
  local canvas = behind(image).canvas
  pixel.R, pixel.G, pixel.B, pixel.A = canvas.R, canvas.G, canvas.B, canvas.A
end

function Methods.Gain(image, r, g, b, a)
  behind(image, true)
  each_pixel(image, function(p) p[0], p[1], p[2], p[3] = p[0] * r, p[1] * g, p[2] * b, p[3] * a end)
end

local function copied(image)
  local copy = make_image({width = image.Width, height = image.Height, proxy = image.ProxyScale, depth = image.Depth})
  ffi.copy(Images[copy].pixels, behind(image).pixels, image.Width * image.Height * 16)
  return copy
end

local OPERATIONS = {Copy = function(_, new) return new end, Add = function(old, new) return old + new end}
local PLACES = {r = 0, g = 1, b = 2, a = 3}

function Methods.ChannelOpOf(image, operation, foreground, options)
  local work = OPERATIONS[operation] or breach("the fake knows no operation %s", tostring(operation))
  local source, result = behind(foreground or image).pixels, copied(image)
  for channel, from in pairs(options) do
    local letter = tostring(from):lower():match("^fg%.([rgba])$") or breach("%s is no channel", tostring(from))
    each_pixel(result, function(p, index)
      p[PLACES[channel:lower()]] = work(p[PLACES[channel:lower()]], source[index * 4 + PLACES[letter]])
    end)
  end
  return result
end

function Methods.MergeOf(background, foreground, options)
  if options.MO_ApplyMode ~= "Merge" or (options.MO_ApplyOperator or "Over") ~= "Over" then
    breach("the fake merges by an additive over only")
  end
  local over, result = behind(foreground).pixels, copied(background)
  return each_pixel(result, function(p, index)
    local alpha = over[index * 4 + 3]
    for channel = 0, 3 do
      p[channel] = over[index * 4 + channel] + (1 - alpha) * p[channel]
    end
  end)
end


fake.Pixel, fake.Number, fake.Text, fake.ImgRectI, fake.Image = Pixel, Number, Text, ImgRectI, Image
fake.kinds, fake.images, fake.make_image, fake.address, fake.behind, fake.junk = Kinds, Images, make_image, address, behind, JUNK
