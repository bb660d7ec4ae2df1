//! The addresses by which other machines reach this one.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use sysinfo::Networks;

/// An address that documents use: nothing is sent there, the system only says which of its own addresses it would take.
const FAR_AWAY: (Ipv4Addr, u16) = (Ipv4Addr::new(198, 51, 100, 1), 9);

/// This machine's IPv4 addresses in its networks, the one by which it goes out first; none without a network.
pub fn of_this_machine() -> Vec<Ipv4Addr> {
    // Where the system tells no networks, the address by which it goes out is enough.
    let networks = Networks::new_with_refreshed_list().ok();
    let mut found: Vec<Ipv4Addr> = networks
        .iter()
        .flat_map(|networks| networks.values())
        .flat_map(sysinfo::NetworkData::ip_networks)
        .filter_map(|network| match network.addr {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
        .filter(|address| is_of_a_network(*address))
        .collect();
    found.sort_unstable();
    found.dedup();
    if let Some(first) = outward() {
        found.retain(|address| *address != first);
        found.insert(0, first);
    }
    found
}

fn is_of_a_network(address: Ipv4Addr) -> bool {
    !address.is_loopback() && !address.is_unspecified() && !address.is_link_local()
}

fn outward() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(FAR_AWAY).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(address) => Some(address).filter(|address| is_of_a_network(*address)),
        IpAddr::V6(_) => None,
    }
}
