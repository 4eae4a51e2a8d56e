//! The rule as one statement.

use dukpt::guard::{Claim, Memory, Policy, RequestId, Verdict};
use postgres::types::{ToSql, Type};
use postgres::{Client, GenericClient, Row, Statement};

use super::failure::Failure;
use super::migrations::VERSION;
use super::options::PostgresOptions;
use crate::record;

/// The statements of one store, for one connection.
pub(super) struct Statements {
    advance: Form,
    look: Form,
    policy: Policy,
    /// Whether commits must wait for a standby.
    standbys: bool,
}

impl Statements {
    pub(super) fn new(
        client: &mut Client,
        options: &PostgresOptions,
        policy: Policy,
    ) -> Result<Self, postgres::Error> {
        let schema = quoted(&options.schema);
        let mut form = |text: &str, types: &[Type]| {
            let text = text.replace("cardroot", &schema);
            match options.prepared {
                true => client.prepare_typed(&text, types).map(Form::Prepared),
                false => Ok(Form::Text(text)),
            }
        };
        let (small, large, bytes) = (Type::INT2_ARRAY, Type::INT8_ARRAY, Type::BYTEA_ARRAY);
        let [version, late, standbys] = [Type::INT8, Type::INT8, Type::BOOL];
        let of_look = [&small, &large, &version, &late, &standbys].map(Clone::clone);
        let of_advance = [small, large.clone(), large, bytes, version, late, standbys];
        Ok(Self {
            advance: form(include_str!("advance.sql"), &of_advance)?,
            look: form(include_str!("look.sql"), &of_look)?,
            policy,
            standbys: options.standbys,
        })
    }

    /// The version and the policy that a store must have to be written to, as the statements compare them.
    fn fence(&self) -> (i64, i64) {
        (VERSION.cast_signed(), record::window(self.policy).into())
    }
}

/// A statement as it is sent.
enum Form {
    /// With its parameters in one go, prepared by no name: it works wherever a pooler sends it.
    Text(String),
    /// Prepared in the session.
    Prepared(Statement),
}

impl Form {
    fn query(
        &self,
        client: &mut impl GenericClient,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, postgres::Error> {
        match self {
            Self::Text(text) => client.query_typed(text, parameters),
            Self::Prepared(statement) => {
                let parameters: Vec<_> = parameters.iter().map(|(value, _)| *value).collect();
                client.query(statement, &parameters)
            }
        }
    }
}

/// A name as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

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
    let mut verdicts = Vec::with_capacity(claims.len());
    match &*rounds(claims) {
        [round] => {
            // The one statement that writes is a transaction by itself.
            let refused = accept(client, sql, round, &mut verdicts)?;
            let is_written = !verdicts.is_empty();
            let told = tell_refused(client, sql, &refused, &mut verdicts);
            told.map_err(|failure| if is_written { failure.after_commit() } else { failure })?;
        }
        rounds => {
            let mut transaction = client.transaction()?;
            for round in rounds {
                let refused = accept(&mut transaction, sql, round, &mut verdicts)?;
                tell_refused(&mut transaction, sql, &refused, &mut verdicts)?;
            }
            transaction.commit()?;
        }
    }
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

/// Writes what can be accepted of a round, and returns what can't.
fn accept<'a>(
    client: &mut impl GenericClient,
    sql: &Statements,
    round: &[Placed<'a>],
    verdicts: &mut Vec<(usize, Verdict)>,
) -> Result<Vec<Placed<'a>>, Failure> {
    let mut accepted = advance(client, sql, round)?;
    accepted.sort_unstable_by_key(|(key, _)| *key);
    let mut accepted = accepted.into_iter().peekable();
    let mut refused = Vec::new();
    for (index, claim) in round {
        match accepted.next_if(|(accepted, _)| *accepted == key(claim)) {
            Some((_, previous)) => verdicts.push((*index, Verdict::Accepted { previous })),
            None => refused.push((*index, *claim)),
        }
    }
    Ok(refused)
}

/// Finds out why claims were refused.
fn tell_refused(
    client: &mut impl GenericClient,
    sql: &Statements,
    refused: &[Placed<'_>],
    verdicts: &mut Vec<(usize, Verdict)>,
) -> Result<(), Failure> {
    if refused.is_empty() {
        return Ok(());
    }
    let mut memories = look(client, sql, refused)?.into_iter().peekable();
    for (index, claim) in refused {
        let (_, memory) = memories.next_if(|(found, _)| *found == key(claim)).ok_or_else(Failure::fenced)?;
        match sql.policy.judge(Some(&memory), claim) {
            (Verdict::Accepted { .. }, _) => return Err(Failure::fenced()),
            (verdict, _) => verdicts.push((*index, verdict)),
        }
    }
    Ok(())
}

fn advance(
    client: &mut impl GenericClient,
    sql: &Statements,
    round: &[Placed<'_>],
) -> Result<Vec<(Key, Option<u32>)>, Failure> {
    let (schemes, names): (Vec<i16>, Vec<i64>) = round.iter().map(|(_, claim)| key(claim)).unzip();
    let counters: Vec<i64> = round.iter().map(|(_, claim)| claim.counter.into()).collect();
    let requests: Vec<&[u8]> = round.iter().map(|(_, claim)| &claim.request.0[..]).collect();
    let (version, late) = sql.fence();
    let rows = sql.advance.query(
        client,
        &[
            (&schemes, Type::INT2_ARRAY),
            (&names, Type::INT8_ARRAY),
            (&counters, Type::INT8_ARRAY),
            (&requests, Type::BYTEA_ARRAY),
            (&version, Type::INT8),
            (&late, Type::INT8),
            (&sql.standbys, Type::BOOL),
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
    let (version, late) = sql.fence();
    let rows = sql.look.query(
        client,
        &[
            (&schemes, Type::INT2_ARRAY),
            (&names, Type::INT8_ARRAY),
            (&version, Type::INT8),
            (&late, Type::INT8),
            (&sql.standbys, Type::BOOL),
        ],
    )?;
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
