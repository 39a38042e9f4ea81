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
