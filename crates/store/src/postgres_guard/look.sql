-- What is remembered of originators that were refused. It takes their locks, so that it waits, as an accepted claim does, until
-- what it has read is durable.
-- $1, $2: schemes and names.
SELECT memory.scheme, memory.name, memory.last, memory.accepted, memory.request, memory.counter
FROM unnest($1::smallint[], $2::bigint[]) AS claim (scheme, name)
JOIN cardroot.memories AS memory ON memory.scheme = claim.scheme AND memory.name = claim.name
ORDER BY memory.scheme, memory.name
FOR UPDATE OF memory
