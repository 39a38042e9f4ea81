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
