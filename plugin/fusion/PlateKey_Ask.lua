--[[ PlateKey 0.1.0: what the Fuse's buttons ask about the whole shot; Fusion runs it from Scripts/Comp.

Licence: Apache-2.0. Documentation: docs/fusion.md.
Assembled by packaging/build_fuse.py from plugin/fusion/fuse and script, and the knobs' declaration; edit those.
--]]

-- ---- knobs, from host_bridge/wire/v1/matte.proto ------------------------------------------------------------------

local KNOBS = {
  {id = "Model", name = "model", label = "Model", unit = "", kind = "text", initial = "platenet",
    help = "Network that makes the matte."},
  {id = "Quality", name = "quality", label = "Quality", unit = "", kind = "choice", initial = "full",
    help = "Draft runs the network at half resolution.",
    choices = {{name = "draft", label = "Draft (half resolution)"}, {name = "full", label = "Full"}}},
  {id = "Registration", name = "registration", label = "Registration", unit = "", kind = "choice", initial = "auto",
    help = "Moves the clean plate onto each frame.",
    choices = {{name = "off", label = "Off (already aligned)"}, {name = "auto", label = "Auto"}, {name = "locked", label = "Locked-off (check only)"}}},
  {id = "Photometric", name = "photometric", label = "Exposure match", unit = "", kind = "choice", initial = "auto",
    help = "Fits the clean plate's exposure to each frame's.",
    choices = {{name = "off", label = "Off"}, {name = "auto", label = "Auto"}}},
  {id = "Sensitivity", name = "sensitivity", label = "Sensitivity", unit = "", kind = "number", initial = 0.0, low = -1.0, high = 1.0,
    help = "Higher keeps fainter differences as foreground."},
  {id = "BlackPoint", name = "black_point", label = "Matte black point", unit = "", kind = "number", initial = 0.0, low = 0.0, high = 1.0,
    help = "Alpha at or below this becomes 0."},
  {id = "WhitePoint", name = "white_point", label = "Matte white point", unit = "", kind = "number", initial = 1.0, low = 0.0, high = 1.0,
    help = "Alpha at or above this becomes 1."},
  {id = "EdgeShift", name = "edge_shift", label = "Edge shift", unit = "px", kind = "number", initial = 0.0, low = -20.0, high = 20.0,
    help = "Grows the matte where positive, shrinks it where negative."},
  {id = "ShadowGain", name = "shadow_gain", label = "Shadow gain", unit = "", kind = "number", initial = 1.0, low = 0.0, high = 2.0,
    help = "Scales the depth of the shadow; 0 removes it."},
  {id = "ShadowColor", name = "shadow_color", label = "Shadow colour", unit = "", kind = "choice", initial = "grey",
    help = "Grey merges with a plain over; RGB is multiplied.",
    choices = {{name = "grey", label = "Grey (plain over)"}, {name = "rgb", label = "RGB (multiply)"}}},
  {id = "ResidualGain", name = "residual_gain", label = "Residual gain", unit = "", kind = "number", initial = 0.0, low = 0.0, high = 1.0, merge_only = true,
    help = "How much of the residual to add over a new background."},
  {id = "Despill", name = "despill", label = "Despill", unit = "", kind = "number", initial = 0.0, low = 0.0, high = 1.0,
    help = "Replaces plate colour at soft edges by foreground colour."},
  {id = "TemporalWindow", name = "temporal_window", label = "Temporal window", unit = "frames", kind = "whole", initial = 0, low = 0.0, high = 8.0,
    help = "Neighbour frames on each side that steady grain, and exposure where the set is hidden."},
  {id = "HintStrength", name = "hint_strength", label = "Hint strength", unit = "", kind = "number", initial = 1.0, low = 0.0, high = 1.0,
    help = "How far the network trusts the hint matte."},
  {id = "InputAlpha", name = "input_alpha", label = "Input alpha", unit = "", kind = "choice", initial = "ignore",
    help = "What an alpha channel in the frame means.",
    choices = {{name = "ignore", label = "Ignore"}, {name = "garbage", label = "Use as garbage matte"}}},
  {id = "Mix", name = "mix", label = "Mix", unit = "", kind = "number", initial = 1.0, low = 0.0, high = 1.0,
    help = "Dissolves between the untouched frame (0) and the keyed one (1)."},
  {id = "Precision", name = "precision", label = "Precision", unit = "", kind = "choice", initial = "auto",
    help = "Number format of the network's arithmetic.",
    choices = {{name = "auto", label = "Auto (half on a GPU)"}, {name = "float", label = "Float"}, {name = "half", label = "Half"}}},
  {id = "Depth", name = "depth", label = "File depth", unit = "", kind = "choice", initial = "auto",
    help = "Number format of the delivered EXR.",
    choices = {{name = "auto", label = "Half, float where needed"}, {name = "half", label = "Half"}, {name = "float", label = "Float"}}},
}

local DEFAULT_LAYERS = {"shadow", "residual", "shadow_ratio", "uncertainty", "difference", "validity"}

local ffi = ffi or select(2, pcall(require, "ffi")) -- a global in Fusion; a text where there is none

-- ---- refusal ------------------------------------------------------------------------------------------------------

local refusal = (function()
-- Refusals: what is wrong in one sentence, and what to do about it in another. Raised as tables, so that the one place
-- that catches errors (process.lua) can tell a refusal from a fault of this file.

local refusal = {}

--- End the frame with two sentences for the artist.
function refusal.raise(message, next_step)
  error({message = message, next_step = next_step}, 0)
end

--- End the frame because Fusion no longer wants it.
function refusal.cancel()
  error({cancelled = true}, 0)
end

--- The sentences of anything that was raised.
function refusal.text(raised)
  if type(raised) == "table" and raised.message then
    return raised.message .. " " .. (raised.next_step or "")
  end
  return "PlateKey's Fuse failed: " .. tostring(raised) .. ". Send this line to whoever looks after PlateKey."
end

return refusal
end)()

-- ---- json ---------------------------------------------------------------------------------------------------------

local json = (function()
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
end)()

-- ---- posix --------------------------------------------------------------------------------------------------------

local function posix()
-- What Lua itself lacks on Linux and macOS: folders, sockets, waiting, and a process that outlives Fusion.
-- Every C function gets a name of our own (`__asm__`), because all Fuses share one namespace of declarations.

local posix = {}

if not pcall(ffi.typeof, "struct platekey_poll") then
  ffi.cdef([[
    struct platekey_poll { int fd; short events; short revents; };
    int platekey_poll_(struct platekey_poll *, unsigned long, int) __asm__("poll");
    int platekey_socket(int, int, int) __asm__("socket");
    int platekey_connect(int, const void *, unsigned int) __asm__("connect");
    int platekey_setsockopt(int, int, int, const void *, unsigned int) __asm__("setsockopt");
    long platekey_send(int, const char *, size_t, int) __asm__("send");
    long platekey_recv(int, char *, size_t, int) __asm__("recv");
    int platekey_close(int) __asm__("close");
    int platekey_mkdir(const char *, unsigned int) __asm__("mkdir");
    int platekey_rmdir(const char *) __asm__("rmdir");
    int platekey_getpid(void) __asm__("getpid");
    char *platekey_strerror(int) __asm__("strerror");
  ]])
end

local C = ffi.C
local MACOS = jit.os == "OSX"
local EXISTS = 17 -- EEXIST, the same number on both
local INET, STREAM = 2, 1 -- AF_INET, SOCK_STREAM
local READABLE = 1 -- POLLIN
local SILENT = MACOS and 0 or 0x4000 -- MSG_NOSIGNAL: a side-car that went away must not end Fusion with SIGPIPE
local SOL_SOCKET, NO_SIGPIPE = 0xFFFF, 0x1022 -- the same on macOS

posix.separator = "/"
posix.open = io.open
posix.remove_file = os.remove
posix.environment = os.getenv

function posix.user_folder()
  return os.getenv("HOME") or "/"
end

function posix.process_id()
  return C.platekey_getpid()
end

function posix.remove_folder(path)
  C.platekey_rmdir(path)
end

--- Make a folder that only its owner may enter. Returns true; or false, and why where it was not there already.
function posix.make_folder(path)
  if C.platekey_mkdir(path, 448) == 0 then -- 0700
    return true
  end
  local number = ffi.errno()
  return false, number ~= EXISTS and ffi.string(C.platekey_strerror(number)) or nil
end

function posix.sleep(seconds)
  C.platekey_poll_(nil, 0, seconds * 1000)
end

--- Connect to a port of this machine; nil where nobody listens.
function posix.connect(port)
  local handle = C.platekey_socket(INET, STREAM, 0)
  local address = ffi.new("unsigned char[16]", MACOS and {16, INET} or {INET, 0})
  address[2], address[3] = math.floor(port / 256), port % 256
  address[4], address[7] = 127, 1
  if handle >= 0 and C.platekey_connect(handle, address, 16) == 0 then
    if MACOS then
      C.platekey_setsockopt(handle, SOL_SOCKET, NO_SIGPIPE, ffi.new("int[1]", 1), 4)
    end
    return handle
  end
  posix.close(handle)
  return nil
end

--- Send bytes; returns how many went, -1 where the other end is gone.
function posix.send(handle, bytes)
  return tonumber(C.platekey_send(handle, bytes, #bytes, SILENT))
end

--- Bytes that come within some seconds: text, "" where none came, nil where the other end is gone.
function posix.receive(handle, seconds)
  local waiting = ffi.new("struct platekey_poll", handle, READABLE, 0)
  if C.platekey_poll_(waiting, 1, seconds * 1000) <= 0 then
    return ""
  end
  local room = ffi.new("char[65536]")
  local count = tonumber(C.platekey_recv(handle, room, 65536, 0))
  return count > 0 and ffi.string(room, count) or nil
end

function posix.close(handle)
  if handle >= 0 then
    C.platekey_close(handle)
  end
end

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Start a command that outlives Fusion, in a folder, without the variables that would send another Python to the
-- libraries of Fusion's. Returns a function: nil as long as it has not failed, then its exit code.
function posix.start(command, folder, foreign)
  local words = {}
  for index, word in ipairs(type(command) == "table" and command or {}) do
    words[index] = quoted(word)
  end
  local line = type(command) == "table" and table.concat(words, " ") or command
  local note = os.tmpname()
  os.remove(note)
  local run = ("cd %s && unset %s; %s || echo $? > %s"):format(
    quoted(folder), table.concat(foreign, " "), line, quoted(note))
  os.execute("nohup sh -c " .. quoted(run) .. " > /dev/null 2>&1 < /dev/null &")
  return function()
    local file = io.open(note)
    local code = file and tonumber(file:read("*l") or "")
    if file then
      file:close()
    end
    if code then
      os.remove(note)
    end
    return code
  end
end

return posix
end

-- ---- windows ------------------------------------------------------------------------------------------------------

local function windows()
-- What Lua itself lacks on Windows: paths that are no ANSI text, folders, sockets, waiting, and a process that outlives
-- Fusion. Texts are UTF-8 everywhere in this file but in the calls to Windows.

local windows = {}

if not pcall(ffi.typeof, "struct platekey_poll") then
  ffi.cdef([[
    struct platekey_poll { uintptr_t fd; short events; short revents; };
    struct platekey_startup { uint32_t size; uint32_t rest[25]; };
    struct platekey_process { void *process; void *thread; uint32_t ids[2]; };
    int platekey_to_wide(unsigned, uint32_t, const char *, int, uint16_t *, int) __asm__("MultiByteToWideChar");
    int platekey_to_utf8(unsigned, uint32_t, const uint16_t *, int, char *, int, void *, void *)
      __asm__("WideCharToMultiByte");
    uint32_t platekey_getenv(const uint16_t *, uint16_t *, uint32_t) __asm__("GetEnvironmentVariableW");
    uint16_t *platekey_environment(void) __asm__("GetEnvironmentStringsW");
    int platekey_free_environment(uint16_t *) __asm__("FreeEnvironmentStringsW");
    int platekey_make_folder(const uint16_t *, void *) __asm__("CreateDirectoryW");
    int platekey_remove_folder(const uint16_t *) __asm__("RemoveDirectoryW");
    int platekey_remove_file(const uint16_t *) __asm__("DeleteFileW");
    uint32_t platekey_last_error(void) __asm__("GetLastError");
    uint32_t platekey_process_id(void) __asm__("GetCurrentProcessId");
    void platekey_sleep(uint32_t) __asm__("Sleep");
    int platekey_start(const uint16_t *, uint16_t *, void *, void *, int, uint32_t, void *, const uint16_t *, void *, void *)
      __asm__("CreateProcessW");
    int platekey_exit_code(void *, uint32_t *) __asm__("GetExitCodeProcess");
    int platekey_close_handle(void *) __asm__("CloseHandle");
    void *platekey_fopen(const uint16_t *, const uint16_t *) __asm__("_wfopen");
    size_t platekey_fread(void *, size_t, size_t, void *) __asm__("fread");
    size_t platekey_fwrite(const void *, size_t, size_t, void *) __asm__("fwrite");
    int platekey_fclose(void *) __asm__("fclose");
    int platekey_begin_sockets(uint16_t, void *) __asm__("WSAStartup");
    uintptr_t platekey_socket(int, int, int) __asm__("socket");
    int platekey_connect(uintptr_t, const void *, int) __asm__("connect");
    int platekey_send(uintptr_t, const char *, int, int) __asm__("send");
    int platekey_recv(uintptr_t, char *, int, int) __asm__("recv");
    int platekey_poll_(struct platekey_poll *, uint32_t, int) __asm__("WSAPoll");
    int platekey_close(uintptr_t) __asm__("closesocket");
  ]])
end

local kernel, sockets, runtime = ffi.load("kernel32"), ffi.load("ws2_32"), ffi.load("msvcrt")
local UTF8 = 65001
local EXISTS = 183 -- ERROR_ALREADY_EXISTS
local INET, STREAM = 2, 1 -- AF_INET, SOCK_STREAM
local READABLE = 0x0100 -- POLLRDNORM
local STILL_RUNNING = 259 -- STILL_ACTIVE
local APART = 0x08000000 + 0x00000200 + 0x00000400 -- no window, process group of its own, environment in UTF-16

windows.separator = "\\"

local function wide(text)
  local room = kernel.platekey_to_wide(UTF8, 0, text, #text, nil, 0)
  local letters = ffi.new("uint16_t[?]", room + 1)
  kernel.platekey_to_wide(UTF8, 0, text, #text, letters, room)
  return letters
end

local function narrow(letters, count)
  local room = kernel.platekey_to_utf8(UTF8, 0, letters, count, nil, 0, nil, nil)
  local bytes = ffi.new("char[?]", room)
  kernel.platekey_to_utf8(UTF8, 0, letters, count, bytes, room, nil, nil)
  return ffi.string(bytes, room)
end

function windows.environment(name)
  local room = kernel.platekey_getenv(wide(name), nil, 0)
  if room == 0 then
    return nil
  end
  local letters = ffi.new("uint16_t[?]", room)
  return narrow(letters, kernel.platekey_getenv(wide(name), letters, room))
end

function windows.user_folder()
  return windows.environment("USERPROFILE") or "C:\\"
end

function windows.process_id()
  return kernel.platekey_process_id()
end

local File = {}
File.__index = File

function File:write(bytes)
  return tonumber(runtime.platekey_fwrite(bytes, 1, #bytes, self.handle)) == #bytes
end

function File:read()
  local parts, room = {}, ffi.new("char[65536]")
  repeat
    local count = tonumber(runtime.platekey_fread(room, 1, 65536, self.handle))
    parts[#parts + 1] = ffi.string(room, count)
  until count == 0
  return table.concat(parts)
end

function File:close()
  return runtime.platekey_fclose(self.handle) == 0
end

--- As io.open, for any path; its `read` knows only the whole file.
function windows.open(path, mode)
  local handle = runtime.platekey_fopen(wide(path), wide(mode or "rb"))
  return handle ~= nil and setmetatable({handle = handle}, File) or nil
end

function windows.remove_file(path)
  kernel.platekey_remove_file(wide(path))
end

function windows.remove_folder(path)
  kernel.platekey_remove_folder(wide(path))
end

--- Make a folder. Returns true; or false, and why where it was not there already.
function windows.make_folder(path)
  if kernel.platekey_make_folder(wide(path), nil) ~= 0 then
    return true
  end
  local number = kernel.platekey_last_error()
  return false, number ~= EXISTS and ("Windows error %d"):format(number) or nil
end

function windows.sleep(seconds)
  kernel.platekey_sleep(seconds * 1000)
end

--- Connect to a port of this machine; nil where nobody listens.
function windows.connect(port)
  sockets.platekey_begin_sockets(0x0202, ffi.new("char[512]")) -- counted by Windows, so once a connection does no harm
  local handle = sockets.platekey_socket(INET, STREAM, 0)
  local address = ffi.new("unsigned char[16]", {INET, 0, math.floor(port / 256), port % 256, 127, 0, 0, 1})
  if sockets.platekey_connect(handle, address, 16) == 0 then
    return handle
  end
  windows.close(handle)
  return nil
end

--- Send bytes; returns how many went, -1 where the other end is gone.
function windows.send(handle, bytes)
  return sockets.platekey_send(handle, bytes, #bytes, 0)
end

--- Bytes that come within some seconds: text, "" where none came, nil where the other end is gone.
function windows.receive(handle, seconds)
  local waiting = ffi.new("struct platekey_poll", handle, READABLE, 0)
  if sockets.platekey_poll_(waiting, 1, seconds * 1000) == 0 then
    return ""
  end
  local room = ffi.new("char[65536]")
  local count = sockets.platekey_recv(handle, room, 65536, 0)
  return count > 0 and ffi.string(room, count) or nil
end

function windows.close(handle)
  sockets.platekey_close(handle)
end

--- A command as CommandLineToArgvW takes it apart.
local function command_line(words)
  local parts = {}
  for index, word in ipairs(words) do
    parts[index] = '"' .. word:gsub('(\\*)"', '%1%1\\"'):gsub("(\\+)$", "%1%1") .. '"'
  end
  return table.concat(parts, " ")
end

--- This process's environment without some variables, as CreateProcessW takes it.
local function environment_without(names)
  local dropped, kept = {}, {}
  for _, name in ipairs(names) do
    dropped[name] = true
  end
  local block = kernel.platekey_environment()
  local at = block
  while at[0] ~= 0 do
    local count = 0
    while at[count] ~= 0 do
      count = count + 1
    end
    local entry = narrow(at, count)
    if not dropped[entry:match("^=?[^=]*"):upper()] then
      kept[#kept + 1] = entry
    end
    at = at + count + 1
  end
  kernel.platekey_free_environment(block)
  return wide(table.concat(kept, "\0") .. "\0\0")
end

--- Start a command that outlives Fusion, in a folder, without the variables that would send another Python to the
-- libraries of Fusion's. Returns a function: nil as long as it has not failed, then its exit code.
function windows.start(command, folder, foreign)
  local line = type(command) == "table" and command_line(command) or command
  local startup = ffi.new("struct platekey_startup")
  startup.size = ffi.sizeof(startup)
  local started = ffi.new("struct platekey_process")
  local environment = environment_without(foreign)
  local code = ffi.new("uint32_t[1]", STILL_RUNNING)
  if kernel.platekey_start(nil, wide(line), nil, nil, 0, APART, environment, wide(folder), startup, started) == 0 then
    code[0] = kernel.platekey_last_error()
  else
    kernel.platekey_close_handle(started.thread)
  end
  return function()
    if code[0] == STILL_RUNNING then
      kernel.platekey_exit_code(started.process, code)
    end
    return code[0] ~= STILL_RUNNING and code[0] ~= 0 and tonumber(code[0]) or nil
  end
end

return windows
end

-- ---- system -------------------------------------------------------------------------------------------------------

local system = (function()
-- The operating system, as the rest of this file sees it; false where Lua has no ffi. Fusion's own classes are ffi
-- objects (`self.Comp` is a `FusionDoc *`), so a Fuse without ffi is not known to exist; it would be told so.

local system = type(ffi) == "table" and (jit.os == "Windows" and windows() or posix())

--- The text of a file; nil where there is none.
local function read(path)
  local file = system.open(path, "rb")
  local text = file and file:read("*a")
  if file then
    file:close()
  end
  return text
end

if system then
  system.read = read
end

return system
end)()

-- ---- side_car -----------------------------------------------------------------------------------------------------

local side_car = (function()
-- The side-car: found through PlateKey's folder, started where none runs, asked over a loopback socket.
-- One JSON object a line each way; pixels stay in files. The other end is `host_bridge/link/`.

local side_car = {}

local LINK_VERSION = 1
local START_SECONDS, HELLO_SECONDS, POLL_SECONDS = 30, 10, 0.1
-- Variables that send another Python to Fusion's libraries: https://docs.python.org/3/using/cmdline.html
local FOREIGN = {"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"}

local DOCTOR = "Run 'platekey doctor' in a terminal."
local AGAIN = "Press 'Try again'; finished frames are kept."

--- PlateKey's own folder: $PLATEKEY_HOME, or .platekey in the user's.
function side_car.home()
  local chosen = system.environment("PLATEKEY_HOME")
  if chosen and chosen ~= "" then
    return (chosen:gsub("^~", system.user_folder():gsub("%%", "%%%%")))
  end
  return system.user_folder() .. system.separator .. ".platekey"
end

local function place(...)
  return table.concat({side_car.home(), ...}, system.separator)
end

local function read_object(path)
  local text = system.read(path)
  local whole, value = pcall(json.decode, text or "")
  return whole and type(value) == "table" and value or {}
end

--- The command that starts the side-car, a list or a line for the shell; and whether it is only a guess.
local function command()
  local stated = system.environment("PLATEKEY_SIDE_CAR")
  if stated and stated ~= "" then
    return stated
  end
  local installed = read_object(place("host.json")).side_car
  if type(installed) == "table" and type(installed[1]) == "string" then
    return installed
  end
  return {"platekey", "link"}, true
end

local function not_started(how, code, guessed)
  if guessed then
    refusal.raise(
      ("This machine has the node but not PlateKey itself: %s is missing."):format(place("host.json")),
      "Install PlateKey here and run 'platekey install', which writes that file.")
  end
  refusal.raise(
    ("PlateKey's side-car cannot be started: %s ended with %d."):format(type(how) == "table" and how[1] or how, code),
    "Install PlateKey, then run 'platekey install' again so that the node knows where it is.")
end

local function find()
  local state = read_object(place("run", "link.json"))
  local port = tonumber(state.port)
  return port and system.connect(port), state.token
end

local function start(wanted)
  local how, guessed = command()
  local there, why = system.make_folder(side_car.home())
  if not there and why then
    refusal.raise(("PlateKey's folder %s cannot be made: %s."):format(side_car.home(), why),
      "Set PLATEKEY_HOME to one that can.")
  end
  local failed = system.start(how, side_car.home(), FOREIGN)
  for _ = 1, START_SECONDS / POLL_SECONDS do
    wanted()
    local handle, token = find()
    if handle then
      return handle, token
    end
    local code = failed()
    if code then
      not_started(how, code, guessed)
    end
    system.sleep(POLL_SECONDS)
  end
  return refusal.raise("PlateKey's side-car is not running and does not start.", DOCTOR)
end

local Link = {}
Link.__index = Link

function Link:gone()
  refusal.raise("PlateKey's side-car has gone away.", AGAIN)
end

function Link:send(number, method, params)
  local line = json.encode({id = number, method = method, params = params}) .. "\n"
  repeat
    local count = system.send(self.handle, line)
    if count <= 0 then
      self:gone()
    end
    line = line:sub(count + 1)
  until line == ""
end

--- The next message; nil where none came within some seconds.
function Link:receive(seconds)
  local line, rest = self.received:match("^(.-)\n(.*)$")
  if not line then
    local piece = system.receive(self.handle, seconds) or self:gone()
    self.received = self.received .. piece
    line, rest = self.received:match("^(.-)\n(.*)$")
  end
  if not line then
    return nil
  end
  self.received = rest
  return json.decode(line)
end

function Link:greet(token)
  self:send(1, "hello", {token = token, link = LINK_VERSION})
  local answer = self:receive(HELLO_SECONDS)
  if not answer then
    refusal.raise("PlateKey's side-car is not running (another program has its port).", DOCTOR)
  elseif answer.error then
    refusal.raise(answer.error.message, answer.error.next_step)
  end
end

function Link:close()
  system.close(self.handle)
end

--- A connection that has been greeted.
-- @param wanted function that raises where Fusion no longer wants the frame; called ten times a second.
function side_car.connect(wanted)
  local handle, token = find()
  if not handle then
    handle, token = start(wanted)
  end
  local link = setmetatable({handle = handle, received = ""}, Link)
  local greeted, raised = pcall(link.greet, link, token)
  if not greeted then
    link:close()
    error(raised, 0)
  end
  return link
end

--- Call a method and wait for its result.
-- @param wanted as in `connect`; where it raises, the side-car is told to stop.
-- @param tell hears every event on the way.
function Link:ask(method, params, wanted, tell)
  self:send(2, method, params)
  while true do
    local asked, raised = pcall(wanted)
    if not asked then
      self:send(0, "cancel", {job = 2})
      error(raised, 0)
    end
    local message = self:receive(POLL_SECONDS)
    local event = message and message.event
    local fault = message and message.error or event and event.error
    if fault then
      refusal.raise(fault.message, fault.next_step)
    elseif event then
      tell(event)
    elseif message and message.id == 2 then
      return message.result
    end
  end
end

--- Have one frame keyed.
-- @param params as the command line's, by their long names.
-- @param wanted, tell as in `ask`.
-- @return the event `done`, with path and report.
function Link:matte(params, wanted, tell)
  local done
  self:ask("matte", params, wanted, function(event)
    tell(event)
    done = event.event == "done" and event or done
  end)
  return done or refusal.raise("The side-car delivered no frame.", DOCTOR)
end

return side_car
end)()

-- ---- exchange -----------------------------------------------------------------------------------------------------

local exchange = (function()
-- The folder through which one request passes: the exported pictures, the result, the side-car's record of it. Two
-- render threads, two nodes and two Fusions never share one. Nothing is kept: the side-car owns the cache.

local exchange = {}

local TRIES = 10000
local RECORDS = ".platekey" -- where the side-car keeps its record of a result

local Folder = {}
Folder.__index = Folder

--- Make a folder unless it is there; whether it was made now.
function exchange.make(path)
  local made, why = system.make_folder(path)
  if why then
    refusal.raise(("The folder %s cannot be made: %s."):format(path, why),
      "Choose another exchange folder in the node, or free this one.")
  end
  return made
end

--- Make a folder that nobody else uses.
-- @param chosen where; empty for PlateKey's own folder.
function exchange.open(chosen)
  local parent = chosen
  if parent == "" then
    exchange.make(side_car.home())
    parent = side_car.home() .. system.separator .. "exchange"
  end
  exchange.make(parent)
  for number = 1, TRIES do
    local path = ("%s%s%d-%d"):format(parent, system.separator, system.process_id(), number)
    if exchange.make(path) then
      return setmetatable({path = path, files = {}}, Folder)
    end
  end
  return refusal.raise(("The folder %s is full of unfinished requests."):format(parent), "Empty it.")
end

--- The path of a name in it.
function Folder:beside(name)
  return self.path .. system.separator .. name
end

--- The path of a file in it, which goes with it.
function Folder:file(name)
  local path = self:beside(name)
  self.files[#self.files + 1] = path
  return path
end

--- Remove it with everything that was put into it.
function Folder:remove()
  for _, path in ipairs(self.files) do
    system.remove_file(path)
  end
  system.remove_folder(self.path .. system.separator .. RECORDS)
  system.remove_folder(self.path)
end

--- The path of a result, which goes with the folder, and so does the record of it.
function Folder:result(name)
  self:file(RECORDS .. system.separator .. name .. ".json")
  return self:file(name)
end

return exchange
end)()

-- ---- options ------------------------------------------------------------------------------------------------------

local options = (function()
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
end)()

-- ---- footage ------------------------------------------------------------------------------------------------------

local footage = (function()
-- The node's pictures as files. A script gets no pixels, so a Saver of its own renders what is connected to the node:
-- Composition.AddTool, Composition.Render, PlainInput.GetConnectedOutput (Fusion 8 Scripting Guide).

local footage = {}

local FLOAT, UNCOMPRESSED = 2, 0 -- of the Saver's OpenEXR format, as in PlateKey.setting

local Export = {}
Export.__index = Export

--- Make ready to export. The Saver rests bypassed, so that no other render writes its files.
-- @param node the PlateKey.
-- @param folder where files go, and with which they go.
-- @param wanted raises where the artist no longer wants it.
function footage.open(comp, node, folder, wanted)
  comp:Lock() -- a Saver would ask for a file's name otherwise (Composition.Lock)
  local added, saver = pcall(comp.AddTool, comp, "Saver", 0, 0)
  comp:Unlock()
  if not (added and saver) then
    refusal.raise(node.Name .. ": Fusion adds no Saver to this comp.", "Unlock the comp, then ask again.")
  end
  saver:SetAttrs({TOOLB_PassThrough = true})
  saver:SetInput("OpenEXRFormat.Depth", FLOAT)
  saver:SetInput("OpenEXRFormat.Compression", UNCOMPRESSED)
  return setmetatable({comp = comp, node = node, folder = folder, saver = saver, wanted = wanted}, Export)
end

--- Whether something is connected to an input of the node.
function Export:has(id)
  return self.node[id]:GetConnectedOutput() ~= nil
end

local function is_there(path)
  local file = system.open(path, "rb")
  return file ~= nil and file:close()
end

--- Render one frame of what is connected to an input; Fusion puts its number in the place of the last digits.
function Export:render(id, name, frame)
  self.wanted()
  local path = self.folder:file(("%s.%04d.exr"):format(name, frame))
  self.saver.Input = self.node[id]:GetConnectedOutput()
  self.saver:SetInput("Clip", self.folder:beside(name .. ".0000.exr"))
  self.saver:SetAttrs({TOOLB_PassThrough = false})
  local settings = {Tool = self.saver, Start = frame, End = frame, Wait = true, HiQ = true}
  local ran, done = pcall(self.comp.Render, self.comp, settings)
  self.saver:SetAttrs({TOOLB_PassThrough = true})
  if not (ran and done and is_there(path)) then
    refusal.raise(("%s: Fusion did not render frame %d of '%s'."):format(self.node.Name, frame, id),
      "Look at the Console and at the comp's render range.")
  end
end

--- The pattern of the files of a name, as the side-car reads it.
function Export:pattern(name)
  return self.folder:beside(name .. ".####.exr")
end

--- Take the Saver away again.
function Export:close()
  self.saver:Delete()
end

return footage
end)()

-- ---- answer -------------------------------------------------------------------------------------------------------

local answer = (function()
-- What the side-car answered, as lines for the node: the same as the other nodes' (plugin/core/inspection.py, adaptation.py).

local answer = {}

local CONCLUSIONS = {
  good = "This plate works.",
  watch = "This plate can work; look at what is said here.",
  bad = "This plate will not give a clean matte as it is.",
}

local function line(name, value)
  return ("%-12s%s"):format(name:sub(1, 1):upper() .. name:sub(2), value)
end

--- What an inspection found: what is not good, each with its tip under it, and the word on the whole.
function answer.inspection(found)
  local lines, good = {}, {}
  local function add(verdict, words, tip)
    lines[#lines + 1] = line(verdict, words)
    lines[#lines + 1] = tip and tip ~= "" and line("do", tip) or nil
  end
  if found.missing and found.missing ~= "" then
    add("watch", "missing on disk: " .. found.missing)
  end
  for _, each in ipairs(found.lines) do
    if each.verdict == "good" then
      good[#good + 1] = each.name
    else
      add(each.verdict, ("%s: %s."):format(each.name, each.figure), each.tip)
    end
  end
  for _, finding in ipairs(found.findings) do
    add(finding.verdict, finding.text, finding.tip)
  end
  if #good > 0 then
    add("good", table.concat(good, ", "))
  end
  add("plate", CONCLUSIONS[found.verdict] or found.verdict)
  return table.concat(lines, "\n")
end

--- What came of an adaptation.
function answer.adaptation(found)
  return line(found.helped and "adapted" or "model", found.sentence)
end

--- What went wrong, and what to do about it.
function answer.error(raised)
  if type(raised) == "table" and raised.message then
    return line("error", raised.message) .. "\n" .. line("do", raised.next_step or "")
  end
  return refusal.text(raised)
end

return answer
end)()

-- ---- ask ----------------------------------------------------------------------------------------------------------

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
