//! The settings files that Kafka ships in `config/`, in our words.

/// A settings file.
#[derive(Debug, Clone, Copy)]
pub struct Shipped {
    /// Its name in `config/`.
    pub name: &'static str,
    /// What is in it.
    pub text: &'static str,
}

/// All of them.
pub const SHIPPED: &[Shipped] = &[
    Shipped {
        name: "server.properties",
        text: include_str!("config/server.properties"),
    },
    Shipped {
        name: "zookeeper.properties",
        text: include_str!("config/zookeeper.properties"),
    },
];
