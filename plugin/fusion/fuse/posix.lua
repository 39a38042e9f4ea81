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
