//! Where the database is, and what is asked of it.

use core::fmt;
use core::num::{NonZeroU16, NonZeroUsize};
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use postgres::config::SslMode;
use postgres::error::{DbError, Severity};
use postgres::{Client, Config, NoTls};

use crate::{Cause, Error};

/// Connections unless others are asked for.
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(4).expect("four is not zero");

/// Time to connect unless the address says another.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for which a server may leave what was sent to it unacknowledged, or be silent while it is waited for, before the link
/// is dead, unless the address says another. Its system answers for a server that is merely busy.
const DEAD_LINK: Duration = Duration::from_secs(10);

/// Where the database is, and what is asked of it.
///
/// The address is PostgreSQL's: `postgres://user:password@host:5432/database?connect_timeout=3`, or `host=… user=…`. Several hosts and
/// `target_session_attrs=read-write` find the primary after a standby was promoted. A link to a host that is gone is given up
/// after some 10 seconds; `tcp_user_timeout`, `keepalives_idle` and `keepalives_interval` set other times. `Debug` shows no
/// password.
#[derive(Clone)]
pub struct PostgresOptions {
    config: Config,
    pub(super) schema: String,
    pub(super) connections: NonZeroUsize,
    pub(super) partitions: Option<NonZeroU16>,
    pub(super) standbys: bool,
    pub(super) prepared: bool,
    #[cfg(feature = "postgres-tls")]
    tls: Option<tokio_postgres_rustls::MakeRustlsConnect>,
}

impl PostgresOptions {
    /// Reads the address of the database.
    ///
    /// # Errors
    /// [`Error::Open`] if it can't be read.
    pub fn new(address: &str) -> Result<Self, Error> {
        let parsed = address.parse::<Config>();
        let mut config = parsed.map_err(|error| Error::Open(Cause::new(error)))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(DEAD_LINK);
        }
        // The driver's default is not told from the same number in the address: nobody means hours.
        if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
            config.keepalives_idle(DEAD_LINK);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_interval(DEAD_LINK / 4);
        }
        Ok(Self {
            config,
            schema: "cardroot".into(),
            connections: CONNECTIONS,
            partitions: None,
            standbys: false,
            prepared: false,
            #[cfg(feature = "postgres-tls")]
            tls: None,
        })
    }

    /// The schema that holds the store, `cardroot` unless said otherwise: one for each set of originators.
    #[must_use]
    pub fn schema(mut self, name: &str) -> Self {
        self.schema = name.into();
        self
    }

    /// How many connections write, each from a thread of its own; 4 unless said otherwise.
    #[must_use]
    pub fn connections(mut self, connections: NonZeroUsize) -> Self {
        self.connections = connections;
        self
    }

    /// Has [`create`](super::PostgresGuard::create) divide the memories into so many hash partitions, for vacuum and
    /// indexes in smaller pieces. PostgreSQL 11 and later; not every database of its kind knows the syntax.
    #[must_use]
    pub fn hash_partitions(mut self, partitions: NonZeroU16) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// Refuses a database that commits without a standby: `synchronous_standby_names` must name some, at every batch.
    #[must_use]
    pub fn require_standbys(mut self) -> Self {
        self.standbys = true;
        self
    }

    /// Prepares the statements once for each connection: single claims cost the server half as much. For connections that
    /// go straight to the server, or through a pooler that looks after prepared statements.
    #[must_use]
    pub fn prepared(mut self) -> Self {
        self.prepared = true;
        self
    }

    /// Connects with TLS or not at all: to a server with a certificate for its host name from an authority in
    /// `authorities`, certificates in PEM form.
    ///
    /// # Errors
    /// [`Error::Open`] if there is no certificate among them.
    #[cfg(feature = "postgres-tls")]
    pub fn tls(mut self, authorities: &[u8]) -> Result<Self, Error> {
        self.tls = Some(super::tls::connector(authorities)?);
        self.config.ssl_mode(SslMode::Require);
        Ok(self)
    }

    /// Opens a connection, and has its warnings go to `warnings`.
    pub(super) fn connect(&self, warnings: &Warnings) -> Result<Client, postgres::Error> {
        let mut config = self.config.clone();
        let warnings = warnings.clone();
        config.notice_callback(move |notice| warnings.note(notice));
        #[cfg(feature = "postgres-tls")]
        if let Some(tls) = &self.tls {
            return config.connect(tls.clone());
        }
        config.connect(NoTls)
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tls = matches!(self.config.get_ssl_mode(), SslMode::Require);
        let mut debug = f.debug_struct("PostgresOptions");
        debug.field("hosts", &self.config.get_hosts()).field("schema", &self.schema).field("tls", &tls);
        debug.finish_non_exhaustive()
    }
}

/// The last warning that the server gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Warnings(Arc<Mutex<Option<DbError>>>);

impl Warnings {
    fn note(&self, notice: DbError) {
        if notice.parsed_severity() == Some(Severity::Warning) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(notice);
        }
    }

    pub(super) fn take(&self) -> Option<DbError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Config {
        PostgresOptions::new(address).unwrap().config
    }

    /// A host that loses its power says nothing. By the defaults of the driver and the system a batch would wait for it from a
    /// quarter of an hour, if it was on its way there, to hours.
    #[test]
    fn a_link_that_is_dead_is_given_up_in_seconds_unless_the_address_says_otherwise() {
        let config = read("host=db user=receiver");
        assert_eq!(config.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(config.get_tcp_user_timeout(), Some(&DEAD_LINK));
        assert!(config.get_keepalives() && config.get_keepalives_idle() == DEAD_LINK);
        assert!(config.get_keepalives_interval().is_some_and(|interval| interval < DEAD_LINK));
    }

    #[test]
    fn time_outs_of_the_address_stay() {
        let config = read(
            "host=db user=receiver connect_timeout=3 tcp_user_timeout=60 keepalives_idle=20 keepalives_interval=30",
        );
        let seconds = Duration::from_secs;
        assert_eq!(config.get_connect_timeout(), Some(&seconds(3)));
        assert_eq!(config.get_tcp_user_timeout(), Some(&seconds(60)));
        assert_eq!(config.get_keepalives_idle(), seconds(20));
        assert_eq!(config.get_keepalives_interval(), Some(seconds(30)));
        assert!(!read("host=db keepalives=0").get_keepalives());
    }
}
