-- JSON (RFC 8259), as much as the link needs. Fusion ships dkjson, but a Fuse cannot rely on `require`: versions 9 to 17
-- resolve it differently in the user interface, in render nodes and in Resolve.

local json = {}

local ESCAPED = {['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t"}
local LITERAL = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}
local WORD = {["true"] = true, ["false"] = false}

json.null = {} -- `null` inside arrays and objects; nil would leave a hole

local function quoted(text)
  local body = text:gsub('[%c"\\]', function(character)
    return ESCAPED[character] or ("\\u%04x"):format(character:byte())
  end)
  return '"' .. body .. '"'
end

local function members(object)
  local keys, parts = {}, {}
  for key in pairs(object) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    parts[#parts + 1] = quoted(key) .. ":" .. json.encode(object[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- A value as JSON. A table with a first element is an array; an empty one is an object.
function json.encode(value)
  local kind = type(value)
  if value == json.null then
    return "null"
  elseif kind == "string" then
    return quoted(value)
  elseif kind == "number" then
    return ("%.17g"):format(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif value[1] == nil then
    return members(value)
  end
  local parts = {}
  for index, item in ipairs(value) do
    parts[index] = json.encode(item)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

--- A Unicode code point as UTF-8 (RFC 3629).
local function utf8(point)
  local tail = string.char(0x80 + point % 0x40)
  if point < 0x80 then
    return string.char(point)
  elseif point < 0x800 then
    return string.char(0xC0 + math.floor(point / 0x40)) .. tail
  end
  tail = string.char(0x80 + math.floor(point / 0x40) % 0x40) .. tail
  if point < 0x10000 then
    return string.char(0xE0 + math.floor(point / 0x1000)) .. tail
  end
  return string.char(0xF0 + math.floor(point / 0x40000), 0x80 + math.floor(point / 0x1000) % 0x40) .. tail
end

local Reader = {}
Reader.__index = Reader

function Reader:fail(what)
  error(("no JSON: %s at byte %d"):format(what, self.at), 0)
end

--- The text that a pattern matches here, passed over; nil where it does not.
function Reader:take(pattern)
  local first, last, captured = self.text:find("^" .. pattern, self.at)
  if first then
    self.at = last + 1
    return captured or self.text:sub(first, last)
  end
  return nil
end

function Reader:token(pattern)
  self:take("[ \t\r\n]*")
  return self:take(pattern)
end

function Reader:escape()
  local hexadecimal = self:take("u(%x%x%x%x)")
  if not hexadecimal then
    local character = self:take('["\\/bfnrt]') or self:fail("unknown escape")
    return LITERAL[character] or character
  end
  local point = tonumber(hexadecimal, 16)
  if point >= 0xD800 and point < 0xDC00 then
    local low = self:take("\\u([dD][c-fC-F]%x%x)") or self:fail("half a character")
    point = 0x10000 + (point - 0xD800) * 0x400 + tonumber(low, 16) - 0xDC00
  end
  return utf8(point)
end

function Reader:string()
  local parts = {}
  while not self:take('"') do
    parts[#parts + 1] = self:take('[^"\\]+') or (self:take("\\") and self:escape()) or self:fail("unfinished text")
  end
  return table.concat(parts)
end

function Reader:array()
  local items = {}
  if self:token("%]") then
    return items
  end
  repeat
    items[#items + 1] = self:value()
  until not self:token(",")
  return self:token("%]") and items or self:fail("unfinished array")
end

function Reader:object()
  local found = {}
  if self:token("}") then
    return found
  end
  repeat
    local key = self:token('"') and self:string() or self:fail("a member without a name")
    if not self:token(":") then
      self:fail("a member without a value")
    end
    found[key] = self:value()
  until not self:token(",")
  return self:token("}") and found or self:fail("unfinished object")
end

function Reader:value()
  if self:token('"') then
    return self:string()
  elseif self:token("%[") then
    return self:array()
  elseif self:token("{") then
    return self:object()
  end
  local number = self:token("%-?%d+%.?%d*[eE]?[%+%-]?%d*")
  if number then
    return tonumber(number) or self:fail("a strange number")
  end
  local word = self:token("%a+")
  if WORD[word] ~= nil then
    return WORD[word]
  end
  return word == "null" and json.null or self:fail("nothing that is a value")
end

--- The value of a JSON text. Raises a string where it is none.
function json.decode(text)
  local reader = setmetatable({text = text, at = 1}, Reader)
  local value = reader:value()
  reader:take("[ \t\r\n]*")
  if reader.at <= #text then
    reader:fail("more than one value")
  end
  return value
end

return json
