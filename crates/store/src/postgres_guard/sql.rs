//! The rule as one statement.

use dukpt::guard::{Claim, Memory, Policy, RequestId, Verdict};
use postgres::types::Type;
use postgres::{Client, GenericClient, Row};

use super::failure::Failure;
use crate::record::{self, VERSION};

/// The statements of one store. Each is sent with its parameters and types in one go and prepared by no name, so that they
/// work wherever a pooler sends them, and each transaction by itself.
#[derive(Clone, Debug)]
pub(super) struct Statements {
    advance: String,
    look: String,
    policy: Policy,
}

impl Statements {
    pub(super) fn new(schema: &str, policy: Policy) -> Self {
        let schema = quoted(schema);
        Self {
            advance: ADVANCE.replace("cardroot", &schema),
            look: LOOK.replace("cardroot", &schema),
            policy,
        }
    }
}

/// A name as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// [`Policy::judge`] for claims of different originators: a row for each that is accepted.
///
/// The first condition is a fence, evaluated once: a store of another version or policy, or a session that answers before
/// its commits are durable, takes nothing. The statement locks the row of every claim, also of those that it refuses.
const ADVANCE: &str = "
INSERT INTO cardroot.memories AS memory (scheme, name, last, accepted, request, counter)
SELECT claim.scheme, claim.name, claim.counter, 1, claim.request, claim.counter
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bytea[]) AS claim (scheme, name, counter, request)
WHERE (SELECT version = $5::bigint AND late = $6::bigint FROM cardroot.store WHERE one = 1)
  AND current_setting('synchronous_commit') IN ('on', 'remote_apply')
ON CONFLICT (scheme, name) DO UPDATE SET
  previous = memory.last,
  last = greatest(memory.last, excluded.last),
  accepted = CASE
    WHEN excluded.last > memory.last + 63 THEN 1
    WHEN excluded.last > memory.last THEN (memory.accepted << (excluded.last - memory.last)::integer) | 1
    ELSE memory.accepted | (1::bigint << (memory.last - excluded.last)::integer)
  END,
  request = excluded.request,
  counter = excluded.counter
WHERE NOT (memory.request = excluded.request AND memory.counter = excluded.counter)
  AND CASE
    WHEN excluded.last > memory.last THEN true
    WHEN memory.last - excluded.last > $6::bigint THEN false
    ELSE ((memory.accepted >> (memory.last - excluded.last)::integer) & 1) = 0
  END
RETURNING memory.scheme, memory.name, memory.previous";

/// What is remembered of those that were refused. It takes their locks, so that it waits, as an accepted claim does, until what
/// it has read is durable.
const LOOK: &str = "
SELECT memory.scheme, memory.name, memory.last, memory.accepted, memory.request, memory.counter
FROM unnest($1::smallint[], $2::bigint[]) AS claim (scheme, name)
JOIN cardroot.memories AS memory ON memory.scheme = claim.scheme AND memory.name = claim.name
ORDER BY memory.scheme, memory.name
FOR UPDATE OF memory";

/// An originator as the two columns of the key.
type Key = (i16, i64);

fn key(claim: &Claim) -> Key {
    (claim.originator.scheme.code().into(), i64::from_be_bytes(claim.originator.id))
}

/// Judges claims in their order, all in one transaction.
pub(super) fn judge(
    client: &mut Client,
    sql: &Statements,
    claims: &[&Claim],
) -> Result<Vec<Verdict>, Failure> {
    let mut verdicts = match &mut *rounds(claims) {
        [round] => judge_round(client, sql, round)?,
        rounds => {
            let mut transaction = client.transaction()?;
            let mut verdicts = Vec::with_capacity(claims.len());
            for round in rounds {
                verdicts.extend(judge_round(&mut transaction, sql, round)?);
            }
            transaction.commit()?;
            verdicts
        }
    };
    verdicts.sort_unstable_by_key(|(index, _)| *index);
    Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
}

/// A claim with its place in the batch.
type Placed<'a> = (usize, &'a Claim);

/// Divides claims so that no round has an originator twice, each in the order of originators. All who write take locks in that
/// order, and later rounds only those that the first has taken: nobody waits in a circle.
fn rounds<'a>(claims: &[&'a Claim]) -> Vec<Vec<Placed<'a>>> {
    let mut order: Vec<Placed<'a>> = claims.iter().copied().enumerate().collect();
    order.sort_by_key(|(_, claim)| key(claim));
    let mut rounds: Vec<Vec<Placed<'a>>> = Vec::new();
    for same in order.chunk_by(|(_, one), (_, next)| key(one) == key(next)) {
        for (round, placed) in same.iter().enumerate() {
            match rounds.get_mut(round) {
                Some(round) => round.push(*placed),
                None => rounds.push(vec![*placed]),
            }
        }
    }
    rounds
}

/// Judges claims of different originators, in the order of these.
fn judge_round(
    client: &mut impl GenericClient,
    sql: &Statements,
    round: &[Placed<'_>],
) -> Result<Vec<(usize, Verdict)>, Failure> {
    let mut verdicts = Vec::with_capacity(round.len());
    let mut refused: Vec<Placed<'_>> = Vec::new();
    let mut accepted = advance(client, sql, round)?;
    accepted.sort_unstable_by_key(|(key, _)| *key);
    let mut accepted = accepted.into_iter().peekable();
    for (index, claim) in round {
        match accepted.next_if(|(accepted, _)| *accepted == key(claim)) {
            Some((_, previous)) => verdicts.push((*index, Verdict::Accepted { previous })),
            None => refused.push((*index, claim)),
        }
    }
    if refused.is_empty() {
        return Ok(verdicts);
    }
    let mut memories = look(client, sql, &refused)?.into_iter().peekable();
    for (index, claim) in refused {
        let (_, memory) = memories.next_if(|(found, _)| *found == key(claim)).ok_or_else(Failure::fenced)?;
        match sql.policy.judge(Some(&memory), claim) {
            (Verdict::Accepted { .. }, _) => return Err(Failure::fenced()),
            (verdict, _) => verdicts.push((index, verdict)),
        }
    }
    Ok(verdicts)
}

fn advance(
    client: &mut impl GenericClient,
    sql: &Statements,
    round: &[Placed<'_>],
) -> Result<Vec<(Key, Option<u32>)>, Failure> {
    let (schemes, names): (Vec<i16>, Vec<i64>) = round.iter().map(|(_, claim)| key(claim)).unzip();
    let counters: Vec<i64> = round.iter().map(|(_, claim)| claim.counter.into()).collect();
    let requests: Vec<&[u8]> = round.iter().map(|(_, claim)| &claim.request.0[..]).collect();
    let (version, late) = (VERSION.cast_signed(), i64::from(record::window(sql.policy)));
    let rows = client.query_typed(
        &sql.advance,
        &[
            (&schemes, Type::INT2_ARRAY),
            (&names, Type::INT8_ARRAY),
            (&counters, Type::INT8_ARRAY),
            (&requests, Type::BYTEA_ARRAY),
            (&version, Type::INT8),
            (&late, Type::INT8),
        ],
    )?;
    let accepted = |row: &Row| {
        let previous = row.try_get::<_, Option<i64>>(2)?.map(counter).transpose()?;
        Ok(((row.try_get(0)?, row.try_get(1)?), previous))
    };
    rows.iter().map(accepted).collect()
}

fn look(
    client: &mut impl GenericClient,
    sql: &Statements,
    refused: &[Placed<'_>],
) -> Result<Vec<(Key, Memory)>, Failure> {
    let (schemes, names): (Vec<i16>, Vec<i64>) = refused.iter().map(|(_, claim)| key(claim)).unzip();
    let rows = client.query_typed(&sql.look, &[(&schemes, Type::INT2_ARRAY), (&names, Type::INT8_ARRAY)])?;
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), memory(row)?))).collect()
}

fn memory(row: &Row) -> Result<Memory, Failure> {
    let request = row.try_get::<_, &[u8]>(4)?.try_into().map_err(|_| impossible())?;
    let memory = Memory {
        last: counter(row.try_get(2)?)?,
        accepted: row.try_get::<_, i64>(3)?.cast_unsigned(),
        request: (RequestId(request), counter(row.try_get(5)?)?),
    };
    record::possible(memory).map_err(Failure::Error)
}

fn counter(stored: i64) -> Result<u32, Failure> {
    stored.try_into().map_err(|_| impossible())
}

fn impossible() -> Failure {
    Failure::Error(record::impossible())
}
