"""The Redis store's Lua scripts. Each is atomic: a run, its events and the indices over it change together."""

# KEYS run events seen idempotency usage standing index...
# ARGV run_id kind tenant state request tests record event_id type data | body_sha256 now expires_at life_s
#      | counter usage_s bytes annotations fields | (field value)... of the index
CREATE = """
local run, events, seen, idempotency = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local body = ARGV[11]
if body ~= '' then
  local used = redis.call('HMGET', idempotency, 'body', 'run', 'expires')
  if used[1] and tonumber(used[3]) > tonumber(ARGV[12]) then return {'USED', used[1], used[2]} end
end
if redis.call('EXISTS', run) == 1 then
  if redis.call('HGET', seen, ARGV[8]) == '1' then return {'AGAIN'} end
  if redis.call('HEXISTS', run, 'archived') == 1 then return {'ARCHIVED'} end
  return {'EXISTS'}
end
redis.call('HSET', run, 'kind', ARGV[2], 'tenant', ARGV[3], 'state', ARGV[4], 'epoch', 0, 'seq', 1,
           'request', ARGV[5], 'tests', ARGV[6], 'record', ARGV[7],
           'annotations', ARGV[18])
for i = 20, #ARGV, 2 do redis.call('HSET', ARGV[19] .. ARGV[i], ARGV[1], ARGV[i + 1]) end
redis.call('XADD', events, '1-0', 'type', ARGV[9], 'data', ARGV[10])
redis.call('HSET', seen, ARGV[8], 1)
for i = 7, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[1]) end
redis.call('HINCRBY', KEYS[5], ARGV[15], 1)
redis.call('HINCRBYFLOAT', KEYS[5], 'events', 1)
redis.call('HINCRBYFLOAT', KEYS[6], 'stored_bytes', ARGV[17])
redis.call('EXPIRE', KEYS[5], ARGV[16])
if body ~= '' then
  redis.call('DEL', idempotency)
  redis.call('HSET', idempotency, 'body', body, 'run', ARGV[1], 'expires', ARGV[13])
  redis.call('EXPIRE', idempotency, ARGV[14])
end
return {'OK'}
"""

# KEYS run events seen | index of the old state, twice | index of the new state, twice | usage outbox counters standing
#      unarchived
# ARGV run_id epoch expected_seq state tests record | counter amount usage_s | tenant event_id type, '' for none
#      | bytes fields ('': unchanged) score env_steps finished_at ended ('': not yet) | (seq event_id type data)...
APPEND = """
local run, events, seen = KEYS[1], KEYS[2], KEYS[3]
local now = redis.call('HMGET', run, 'epoch', 'seq')
if not now[1] then return {'NONE'} end
if ARGV[2] ~= '' and ARGV[2] ~= now[1] then return {'FENCED', now[1]} end
if ARGV[3] ~= now[2] then return {'STALE'} end
for i = 19, #ARGV, 4 do
  if redis.call('HEXISTS', seen, ARGV[i + 1]) == 1 then return {'SEEN'} end
end
for i = 19, #ARGV, 4 do
  redis.call('XADD', events, ARGV[i] .. '-0', 'type', ARGV[i + 2], 'data', ARGV[i + 3])
  redis.call('HSET', seen, ARGV[i + 1], ARGV[i])
end
redis.call('HSET', run, 'seq', ARGV[#ARGV - 3], 'state', ARGV[4], 'tests', ARGV[5], 'record', ARGV[6])
if ARGV[14] ~= '' then
  redis.call('HSET', ARGV[14] .. 'state', ARGV[1], ARGV[4])
  redis.call('HSET', ARGV[14] .. 'score', ARGV[1], ARGV[15])
  redis.call('HSET', ARGV[14] .. 'env_steps', ARGV[1], ARGV[16])
  redis.call('HSET', ARGV[14] .. 'finished_at', ARGV[1], ARGV[17])
end
for i = 4, 5 do
  redis.call('ZREM', KEYS[i], ARGV[1])
  redis.call('ZADD', KEYS[i + 2], 0, ARGV[1])
end
if ARGV[7] ~= '' then redis.call('HINCRBYFLOAT', KEYS[8], ARGV[7], ARGV[8]) end
redis.call('HINCRBYFLOAT', KEYS[8], 'events', (#ARGV - 18) / 4)
redis.call('EXPIRE', KEYS[8], ARGV[9])
redis.call('HINCRBYFLOAT', KEYS[11], 'stored_bytes', ARGV[13])
if ARGV[18] ~= '' then redis.call('ZADD', KEYS[12], ARGV[18], ARGV[1]) end
if ARGV[11] ~= '' then
  local position = redis.call('HINCRBY', KEYS[10], 'outbox', 1)
  redis.call('XADD', KEYS[9], position .. '-0', 'tenant', ARGV[10], 'run', ARGV[1], 'event', ARGV[11], 'type', ARGV[12])
end
return {'OK'}
"""

# KEYS run events seen standing unarchived index...
# ARGV run_id bytes annotations fields field...
REMOVE = """
local annotations = redis.call('HGET', KEYS[1], 'annotations')
if annotations and annotations ~= ARGV[3] then return 'STALE' end
if redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3]) == 0 then return 'NONE' end
for i = 5, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
redis.call('HINCRBYFLOAT', KEYS[4], 'stored_bytes', -ARGV[2])
for i = 5, #ARGV do redis.call('HDEL', ARGV[4] .. ARGV[i], ARGV[1]) end
return 'OK'
"""

# KEYS run events seen unarchived
# ARGV run_id events
TRIM = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 'NONE' end
redis.call('HSET', KEYS[1], 'archived', ARGV[2])
redis.call('UNLINK', KEYS[2], KEYS[3])
redis.call('ZREM', KEYS[4], ARGV[1])
return 'OK'
"""

# KEYS run
ACQUIRE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
return redis.call('HINCRBY', KEYS[1], 'epoch', 1)
"""

# KEYS run | index of each label... | index of each new label...
# ARGV run_id known annotations text name labels fields
ANNOTATE = """
local run = KEYS[1]
local known = redis.call('HGET', run, 'annotations')
if not known then return 'NONE' end
if known ~= ARGV[2] then return 'STALE' end
redis.call('HSET', run, 'annotations', ARGV[3])
redis.call('HSET', ARGV[7] .. 'text', ARGV[1], ARGV[4])
redis.call('HSET', ARGV[7] .. 'name', ARGV[1], ARGV[5])
for i = 2, 1 + ARGV[6] do redis.call('ZREM', KEYS[i], ARGV[1]) end
for i = 2 + ARGV[6], #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[1]) end
return 'OK'
"""

# KEYS index of each state... | index of each condition...
# ARGV newest oldest limit runs fields states | words, then the words | sort descending after | field...
# ``runs`` and ``fields`` are the beginnings of the keys of runs, and of the hashes of the index.
# The smallest index of the conditions is read, and its runs are looked up in the others. Of the wanted runs only the
# first ``limit`` are kept in order. Returns the fields of each; 'GONE' if there is no run of the id ``after``.
FIND = """
local newest, oldest, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local runs, fields, states = ARGV[4], ARGV[5], tonumber(ARGV[6])
local words = {}
for i = 1, tonumber(ARGV[7]) do words[i] = ARGV[7 + i] end
local at = 8 + #words
local sort, descending, after = ARGV[at], ARGV[at + 1] == '1', ARGV[at + 2]
local numeric = sort == 'score' or sort == 'env_steps' or sort == 'finished_at'
local by_id = sort == 'created_at'
if not by_id and after ~= '' and redis.call('EXISTS', runs .. after) == 0 then return 'GONE' end

local sources, smallest = {}, nil
for i = states + 1, #KEYS do
  local size = redis.call('ZCARD', KEYS[i])
  if not smallest or size < smallest then
    sources, smallest = {KEYS[i]}, size
  end
end
if states > 0 then
  local size = 0
  for i = 1, states do size = size + redis.call('ZCARD', KEYS[i]) end
  if size < smallest then
    sources = {}
    for i = 1, states do sources[i] = KEYS[i] end
  end
end

local function wanted(id, text)
  for _, word in ipairs(words) do
    if not text or not string.find(text, word, 1, true) then return false end
  end
  for i = states + 1, #KEYS do
    if KEYS[i] ~= sources[1] and not redis.call('ZSCORE', KEYS[i], id) then return false end
  end
  if states > 0 and sources[1] ~= KEYS[1] then
    for i = 1, states do
      if redis.call('ZSCORE', KEYS[i], id) then return true end
    end
    return false
  end
  return true
end

local function parsed(value)
  if not value or value == '' then return nil end
  return numeric and tonumber(value) or value
end
local function precedes(a, mine, b, theirs)
  if (mine == nil) ~= (theirs == nil) then return theirs == nil end
  if mine ~= theirs then
    if descending then return mine > theirs end
    return mine < theirs
  end
  if descending then return a > b end
  return a < b
end
local last = nil
if not by_id and after ~= '' then last = parsed(redis.call('HGET', fields .. sort, after)) end

local found, values, count = {}, {}, 0
local function take(id, value)
  if after ~= '' and not by_id and not precedes(after, last, id, value) then return end
  if count == limit then
    if not precedes(id, value, found[count], values[count]) then return end
    count = count - 1
  end
  local low, high = 1, count + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if precedes(id, value, found[middle], values[middle]) then high = middle else low = middle + 1 end
  end
  for i = count, low, -1 do found[i + 1], values[i + 1] = found[i], values[i] end
  found[low], values[low] = id, value
  count = count + 1
end

local upwards = by_id and not descending
if by_id and after ~= '' then
  if descending then newest = '(' .. after else oldest = '(' .. after end
end
for _, index in ipairs(sources) do
  local from, to, taken = newest, oldest, 0
  while true do
    local ids
    if upwards then ids = redis.call('ZRANGEBYLEX', index, to, from, 'LIMIT', 0, 500)
    else ids = redis.call('ZREVRANGEBYLEX', index, from, to, 'LIMIT', 0, 500) end
    if #ids == 0 then break end
    local texts = #words > 0 and redis.call('HMGET', fields .. 'text', unpack(ids)) or {}
    local sorted = not by_id and redis.call('HMGET', fields .. sort, unpack(ids)) or {}
    for i, id in ipairs(ids) do
      if wanted(id, texts[i]) then
        taken = taken + 1
        take(id, by_id and id or parsed(sorted[i]))
        if by_id and taken == limit then break end
      end
    end
    if #ids < 500 or (by_id and taken == limit) then break end
    if upwards then to = '(' .. ids[#ids] else from = '(' .. ids[#ids] end
  end
end

local rows = {}
for i = 1, count do rows[i] = redis.call('HMGET', runs .. found[i], unpack(ARGV, at + 3)) end
return rows
"""

# KEYS document index index   ARGV kind id owner record
ADD_DOCUMENT = """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'id', ARGV[2], 'owner', ARGV[3], 'record', ARGV[4])
  redis.call('ZADD', KEYS[2], 0, ARGV[2])
  redis.call('ZADD', KEYS[3], 0, ARGV[2])
end
return redis.call('HGETALL', KEYS[1])
"""

# KEYS document   ARGV record expected
REPLACE_DOCUMENT = """
local record = redis.call('HGET', KEYS[1], 'record')
if record ~= ARGV[1] and record ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'record', ARGV[1])
return 1
"""

# KEYS keys
# ARGV id record
PUT_KEY = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and cjson.decode(known).revoked_at ~= cjson.null then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
