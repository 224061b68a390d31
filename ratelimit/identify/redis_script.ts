/**
 * `schedule.ts` in Lua, for a Redis server to run atomically and by its own clock. A test compares the two on
 * random conversations.
 *
 * `KEYS[1]` is the record, `ARGV[1]` the request as JSON. Numbers become integers on the way back, so the reply counts
 * in whole ms and says -1 for `null`.
 */

/** The script. */
export const IDENTIFY_SCRIPT = `
local DAY, SAME_DAY, GRACE, MAX_WAITING, MAX_SERVED, EXPIRES = 86400000, 60000, 0.25, 512, 4096, 172800000
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local request = cjson.decode(ARGV[1])

local stored = redis.call('GET', KEYS[1])
local r
if stored then
  local ok, value = pcall(cjson.decode, stored)
  if not ok or type(value) ~= 'table' or value.version ~= 1 then
    return redis.error_reply('ERR Cannot read the record of identifies: it is not one, or of another version')
  end
  r = value
else
  r = { version = 1, id = request.client .. '@' .. string.format('%.0f', now), createdAt = now, maxConcurrency = 1,
    total = 1000, remaining = 1000, resetAt = cjson.null, periodMs = 5250, restUntil = 0, turns = {}, waiting = {},
    served = {} }
end

local function given(value)
  return value ~= nil and value ~= cjson.null
end

local function filter(list, keeps)
  local kept = {}
  for _, one in ipairs(list) do
    if keeps(one) then kept[#kept + 1] = one end
  end
  return kept
end

local function set(list)
  local members = {}
  for _, one in ipairs(list) do members[one] = true end
  return members
end

local function includes(list, value)
  for _, one in ipairs(list) do
    if one == value then return true end
  end
  return false
end

local function settle()
  if given(r.resetAt) and now >= r.resetAt then
    r.remaining = r.total
    r.resetAt = cjson.null
  end
  r.restUntil = math.min(r.restUntil, now + r.periodMs)
  local function lasts(one) return one['until'] > now end
  r.turns = filter(r.turns, lasts)
  r.waiting = filter(r.waiting, lasts)
  for _, one in ipairs(r.turns) do one['until'] = math.min(one['until'], now + r.periodMs) end
  for _, one in ipairs(r.waiting) do one['until'] = math.min(one['until'], now + 2 * r.periodMs) end
end

local function apply(limits)
  settle()
  local total = given(limits.total) and limits.total or r.total
  local reset = limits.resetAfterMs
  local remaining = r.remaining == r.total and total or r.remaining
  if given(limits.remaining) then
    local sameDay = given(r.resetAt) and (not given(reset) or now + reset <= r.resetAt + SAME_DAY)
    local counted = r.remaining + math.max(0, total - r.total)
    remaining = sameDay and math.min(counted, limits.remaining) or math.max(0, limits.remaining - #r.turns)
  end
  local toldFull = given(limits.remaining) and limits.remaining >= total
  if given(limits.maxConcurrency) then r.maxConcurrency = limits.maxConcurrency end
  if given(limits.periodMs) then r.periodMs = limits.periodMs end
  r.total = total
  r.remaining = math.min(remaining, total)
  if r.remaining == total then r.resetAt = cjson.null
  elseif given(reset) and not toldFull then r.resetAt = now + math.ceil(reset)
  elseif not given(r.resetAt) then r.resetAt = now + DAY end
end

settle()
if given(request.known) and request.known.id ~= r.id then
  apply(request.known)
  r.restUntil = math.max(r.restUntil, r.createdAt + r.periodMs)
end
if given(request.limits) then apply(request.limits) end

local dropped = set(request.drop)
local function stays(one) return not dropped[one.ticket] end
local unused = {}
for _, turn in ipairs(r.turns) do
  if dropped[turn.ticket] then unused[turn.shardId] = true end
end
r.served = filter(r.served, function(shardId) return not unused[shardId] end)
local turnsLeft = filter(r.turns, stays)
r.remaining = math.min(r.total, r.remaining + #r.turns - #turnsLeft)
if r.remaining == r.total then r.resetAt = cjson.null end
r.turns = turnsLeft
r.waiting = filter(r.waiting, stays)
local keep, turns, known, served = set(request.keep), {}, {}, set(r.served)
for _, turn in ipairs(r.turns) do
  if keep[turn.ticket] then turn['until'] = now + r.periodMs end
  turns[turn.ticket] = turn
  served[turn.shardId] = true
end
for _, waiter in ipairs(r.waiting) do known[waiter.ticket] = true end

local granted, refused, asked = {}, {}, {}
for _, one in ipairs(request.ask) do
  local turn = turns[one.ticket]
  if turn then
    turn['until'] = now + r.periodMs
    granted[#granted + 1] = one.ticket
  else
    asked[one.ticket] = true
    if not known[one.ticket] then
      r.waiting[#r.waiting + 1] =
        { ticket = one.ticket, shardId = one.shardId, ['until'] = now, again = served[one.shardId] == true }
    end
  end
end
for index, waiter in ipairs(r.waiting) do waiter.place = index end
table.sort(r.waiting, function(a, b)
  if a.again ~= b.again then return b.again end
  if a.shardId ~= b.shardId then return a.shardId < b.shardId end
  return a.place < b.place
end)

local rests, kept, waitUntil, waiting = {}, {}, math.huge, {}
for _, turn in ipairs(r.turns) do
  local key = turn.shardId % r.maxConcurrency
  rests[key] = math.max(turn['until'], rests[key] or 0)
end
for _, waiter in ipairs(r.waiting) do
  waiter.place = nil
  local key = waiter.shardId % r.maxConcurrency
  local restsUntil = math.max(rests[key] or 0, r.restUntil)
  local keptUntil = kept[key] or 0
  local isAsking = asked[waiter.ticket]
  if isAsking and restsUntil <= now and keptUntil <= now and r.remaining > 0 then
    r.turns[#r.turns + 1] = { ticket = waiter.ticket, shardId = waiter.shardId, ['until'] = now + r.periodMs }
    r.remaining = r.remaining - 1
    if not given(r.resetAt) then r.resetAt = now + DAY end
    if not includes(r.served, waiter.shardId) then r.served[#r.served + 1] = waiter.shardId end
    if #r.served > MAX_SERVED then table.remove(r.served, 1) end
    rests[key] = now + r.periodMs
    granted[#granted + 1] = waiter.ticket
  else
    if isAsking then
      local retryAt = restsUntil > now and restsUntil or math.max(keptUntil, now)
      waitUntil = math.min(waitUntil, retryAt)
      waiter['until'] = math.min(retryAt + r.periodMs * GRACE, math.max(restsUntil, now) + r.periodMs)
    elseif restsUntil <= now then
      kept[key] = math.max(keptUntil, waiter['until'])
    end
    waiting[#waiting + 1] = waiter
  end
end

if r.remaining == 0 then
  waiting = filter(waiting, function(one)
    if asked[one.ticket] then refused[#refused + 1] = one.ticket end
    return not asked[one.ticket]
  end)
end
local someFirst, stillWait = false, false
for _, one in ipairs(waiting) do
  someFirst = someFirst or not one.again
  stillWait = stillWait or asked[one.ticket]
end
if not someFirst then
  for _, one in ipairs(waiting) do one.again = false end
  r.served = {}
end
while #waiting > MAX_WAITING do waiting[#waiting] = nil end
r.waiting = waiting

redis.call('SET', KEYS[1], cjson.encode(r), 'PX', EXPIRES)
return { granted, refused, stillWait and math.ceil(waitUntil - now) or -1, r.id, r.maxConcurrency, r.total, r.remaining,
  given(r.resetAt) and math.ceil(r.resetAt - now) or -1, math.ceil(r.periodMs) }
`;
