"""The Redis store's Lua scripts. Each is atomic: a run, its events and the indices over it change together."""

# KEYS run events seen idempotency usage standing index...
# ARGV run_id kind tenant state request tests record event_id type data | body_sha256 now expires_at life_s
#      | counter usage_s bytes
CREATE = """
local run, events, seen, idempotency = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local body = ARGV[11]
if body ~= '' then
  local used = redis.call('HMGET', idempotency, 'body', 'run', 'expires')
  if used[1] and tonumber(used[3]) > tonumber(ARGV[12]) then return {'USED', used[1], used[2]} end
end
if redis.call('EXISTS', run) == 1 then
  if redis.call('HGET', seen, ARGV[8]) == '1' then return {'AGAIN'} end
  return {'EXISTS'}
end
redis.call('HSET', run, 'kind', ARGV[2], 'tenant', ARGV[3], 'state', ARGV[4], 'epoch', 0, 'seq', 1,
           'request', ARGV[5], 'tests', ARGV[6], 'record', ARGV[7])
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
# ARGV run_id epoch expected_seq state tests record | counter amount usage_s | tenant event_id type, '' for none
#      | bytes | (seq event_id type data)...
APPEND = """
local run, events, seen = KEYS[1], KEYS[2], KEYS[3]
local now = redis.call('HMGET', run, 'epoch', 'seq')
if not now[1] then return {'NONE'} end
if ARGV[2] ~= '' and ARGV[2] ~= now[1] then return {'FENCED', now[1]} end
if ARGV[3] ~= now[2] then return {'STALE'} end
for i = 14, #ARGV, 4 do
  if redis.call('HEXISTS', seen, ARGV[i + 1]) == 1 then return {'SEEN'} end
end
for i = 14, #ARGV, 4 do
  redis.call('XADD', events, ARGV[i] .. '-0', 'type', ARGV[i + 2], 'data', ARGV[i + 3])
  redis.call('HSET', seen, ARGV[i + 1], ARGV[i])
end
redis.call('HSET', run, 'seq', ARGV[#ARGV - 3], 'state', ARGV[4], 'tests', ARGV[5], 'record', ARGV[6])
for i = 4, 5 do
  redis.call('ZREM', KEYS[i], ARGV[1])
  redis.call('ZADD', KEYS[i + 2], 0, ARGV[1])
end
if ARGV[7] ~= '' then redis.call('HINCRBYFLOAT', KEYS[8], ARGV[7], ARGV[8]) end
redis.call('HINCRBYFLOAT', KEYS[8], 'events', (#ARGV - 13) / 4)
redis.call('EXPIRE', KEYS[8], ARGV[9])
redis.call('HINCRBYFLOAT', KEYS[11], 'stored_bytes', ARGV[13])
if ARGV[11] ~= '' then
  local position = redis.call('HINCRBY', KEYS[10], 'outbox', 1)
  redis.call('XADD', KEYS[9], position .. '-0', 'tenant', ARGV[10], 'run', ARGV[1], 'event', ARGV[11], 'type', ARGV[12])
end
return {'OK'}
"""

# KEYS run events seen standing index...
# ARGV run_id bytes
REMOVE = """
if redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3]) == 0 then return 0 end
for i = 5, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
redis.call('HINCRBYFLOAT', KEYS[4], 'stored_bytes', -ARGV[2])
return 1
"""

# KEYS run
ACQUIRE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
return redis.call('HINCRBY', KEYS[1], 'epoch', 1)
"""

# KEYS index...   ARGV newest limit prefix field...
FIND = """
local ids = {}
for _, index in ipairs(KEYS) do
  for _, id in ipairs(redis.call('ZREVRANGEBYLEX', index, ARGV[1], '-', 'LIMIT', 0, ARGV[2])) do
    ids[#ids + 1] = id
  end
end
table.sort(ids, function(a, b) return a > b end)
local runs = {}
for i = 1, math.min(#ids, tonumber(ARGV[2])) do
  runs[i] = redis.call('HMGET', ARGV[3] .. ids[i], unpack(ARGV, 4))
end
return runs
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
