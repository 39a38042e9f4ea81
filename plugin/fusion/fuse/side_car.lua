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
