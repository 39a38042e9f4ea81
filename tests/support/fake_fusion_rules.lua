-- A stand-in for Fusion's Fuse interface that holds a Fuse to the documented rules. It is no Fusion: what passes here has
-- not been run there. Sources of the rules: the Fuse Plugin Guide and Reference of July 2022 ("SDK"), the source of
-- Cryptomatte's Fuse ("Cryptomatte"), classes reflected from Resolve ("reflected"), and what others saw in Resolve 21.1
-- ("seen"). A breach is an error and is kept, so that a Fuse that catches it is found out all the same.
--
-- This file: what the others share. `fake.phase` is what Fusion is doing; `fake.request` the request under way.

local fake = ...

fake.phase, fake.breaches, fake.open_files = "idle", {}, {}

function fake.breach(...)
  local words = "Fusion: " .. string.format(...)
  fake.breaches[#fake.breaches + 1] = words
  error(words, 0)
end

function fake.set_of(words)
  local found = {}
  for word in words:gmatch("%S+") do
    found[word] = true
  end
  return found
end

function fake.during(what, ...)
  for _, name in ipairs({...}) do
    if fake.phase == name then
      return
    end
  end
  fake.breach("%s was called during %s", what, fake.phase)
end

--- An object with these members and methods and no others.
function fake.strict(class, members, methods)
  return setmetatable(members, {
    __index = function(_, name)
      return methods[name] == nil and fake.breach("%s has no member %s", class, tostring(name)) or methods[name]
    end,
    __newindex = function(_, name)
      fake.breach("%s.%s cannot be set", class, tostring(name))
    end,
  })
end

--- Do what Fusion does in a phase; an error fails the tool and is printed in the Console.
function fake.guarded(name, work)
  local before = fake.phase
  fake.phase = name
  local fine, raised = pcall(work)
  fake.phase = before
  if not fine then
    fake.host.print(tostring(raised))
  end
  return fine
end
