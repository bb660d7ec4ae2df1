//! People of Spain.

use super::Person;
use super::spanish_towns::TOWNS;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

const WOMEN: &[&str] = &[
    "María",
    "Carmen",
    "Ana",
    "Isabel",
    "Laura",
    "Cristina",
    "Marta",
    "Lucía",
    "Paula",
    "Elena",
    "Pilar",
    "Raquel",
    "Sara",
    "Rosa",
    "Beatriz",
    "Patricia",
    "Silvia",
    "Julia",
    "Irene",
    "Alba",
    "Nuria",
    "Teresa",
    "Sofía",
    "Claudia",
    "Carla",
    "Rocío",
    "Mónica",
    "Andrea",
    "Inés",
    "Eva",
    "Noelia",
    "Lorena",
    "Amparo",
    "Montserrat",
    "Begoña",
    "Leire",
    "Uxía",
    "María José",
    "María Dolores",
    "Ana Belén",
    "María Pilar",
    "Rosa María",
    "María del Mar",
    "Ana Isabel",
];

const MEN: &[&str] = &[
    "Antonio",
    "José",
    "Manuel",
    "Francisco",
    "Juan",
    "David",
    "Javier",
    "Daniel",
    "Carlos",
    "Jesús",
    "Alejandro",
    "Miguel",
    "Rafael",
    "Pedro",
    "Pablo",
    "Ángel",
    "Sergio",
    "Fernando",
    "Jorge",
    "Luis",
    "Alberto",
    "Álvaro",
    "Adrián",
    "Diego",
    "Raúl",
    "Iván",
    "Rubén",
    "Enrique",
    "Óscar",
    "Ramón",
    "Andrés",
    "Vicente",
    "Joaquín",
    "Santiago",
    "Víctor",
    "Jordi",
    "Iker",
    "Xoán",
    "José Luis",
    "Juan Carlos",
    "José Antonio",
    "Francisco Javier",
    "Miguel Ángel",
    "Juan José",
];

const SURNAMES: &[&str] = &[
    "García",
    "Rodríguez",
    "González",
    "Fernández",
    "López",
    "Martínez",
    "Sánchez",
    "Pérez",
    "Gómez",
    "Martín",
    "Jiménez",
    "Hernández",
    "Ruiz",
    "Díaz",
    "Moreno",
    "Muñoz",
    "Álvarez",
    "Romero",
    "Gutiérrez",
    "Alonso",
    "Navarro",
    "Torres",
    "Domínguez",
    "Ramos",
    "Vázquez",
    "Ramírez",
    "Gil",
    "Serrano",
    "Morales",
    "Molina",
    "Blanco",
    "Suárez",
    "Castro",
    "Ortega",
    "Delgado",
    "Ortiz",
    "Marín",
    "Rubio",
    "Núñez",
    "Medina",
    "Sanz",
    "Castillo",
    "Iglesias",
    "Cortés",
    "Garrido",
    "Santos",
    "Guerrero",
    "Lozano",
    "Cano",
    "Cruz",
    "Méndez",
    "Flores",
    "Prieto",
    "Herrera",
    "Peña",
    "León",
    "Márquez",
    "Cabrera",
    "Gallego",
    "Calvo",
    "Vidal",
    "Campos",
    "Reyes",
    "Vega",
    "Fuentes",
    "Carrasco",
    "Diez",
    "Aguilar",
    "Caballero",
    "Nieto",
    "Santana",
    "Pascual",
    "Herrero",
    "Montero",
    "Hidalgo",
    "Giménez",
    "Ibáñez",
    "Ferrer",
    "Etxeberria",
    "Puig",
    "Soler",
    "Roca",
    "Bravo",
    "Gallardo",
    "Rivas",
    "Soto",
    "Esteban",
    "Arias",
    "Pastor",
    "Mora",
    "Crespo",
    "Carmona",
];

const STREETS: &[(&str, &[&str])] = &[
    (
        "Calle",
        &[
            "Mayor",
            "Real",
            "Nueva",
            "del Sol",
            "de la Luna",
            "San Juan",
            "Santa Ana",
            "Cervantes",
            "Miguel Hernández",
            "Goya",
            "Velázquez",
            "Rosalía de Castro",
            "de la Iglesia",
            "de la Fuente",
            "del Carmen",
            "Colón",
            "Concepción Arenal",
            "del Olivo",
            "Ramón y Cajal",
            "de las Flores",
        ],
    ),
    (
        "Avenida",
        &[
            "de la Constitución",
            "de España",
            "de la Paz",
            "de Andalucía",
            "del Mediterráneo",
            "de Europa",
            "de la Libertad",
            "de la Estación",
            "de Madrid",
            "de los Deportes",
        ],
    ),
    (
        "Plaza",
        &[
            "Mayor",
            "de España",
            "de la Constitución",
            "Nueva",
            "del Mercado",
            "de San Pedro",
        ],
    ),
    (
        "Paseo",
        &[
            "de la Alameda",
            "del Prado",
            "de Gracia",
            "de la Estación",
            "del Río",
        ],
    ),
    (
        "Ronda",
        &["de Toledo", "del Sur", "de la Muralla", "de los Tejares"],
    ),
    (
        "Camino",
        &["Viejo", "de la Ermita", "del Molino", "de las Huertas"],
    ),
    ("Travesía", &["de la Iglesia", "del Horno", "de San Antonio"]),
    ("Carretera", &["de Valencia", "de Burgos", "de la Playa", "Vieja"]),
];

/// How often each kind of street comes, in the order above.
const KINDS: std::ops::Range<usize> = 0..16;

/// A person by chance.
pub fn person(rng: &mut impl Rng) -> Person {
    let given = if rng.random_bool(0.5) { WOMEN } else { MEN };
    let nombre = format!(
        "{} {} {}",
        pick(rng, given),
        pick(rng, SURNAMES),
        pick(rng, SURNAMES)
    );
    let edad = rng.random_range(18..=80);
    let calle = street(rng);
    let town = TOWNS[rng.random_range(0..TOWNS.len())];
    let cp = town.postcode(rng);
    let (longitud, latitud) = town.place(rng);
    Person {
        nombre,
        edad,
        calle,
        ciudad: town.name.to_owned(),
        provincia: town.province.to_owned(),
        cp,
        longitud,
        latitud,
    }
}

fn street(rng: &mut impl Rng) -> String {
    // Half of all streets are a Calle, a quarter an Avenida.
    let kind = match rng.random_range(KINDS) {
        0..8 => 0,
        8..12 => 1,
        _ => rng.random_range(2..STREETS.len()),
    };
    let (kind, names) = STREETS[kind];
    let number = rng.random_range(1..=140);
    let street = format!("{kind} {}, {number}", pick(rng, names));
    if rng.random_bool(0.4) {
        let floor = rng.random_range(1..=8);
        format!(
            "{street}, {floor}º {}",
            pick(rng, &["A", "B", "C", "Dcha.", "Izda."])
        )
    } else {
        street
    }
}

fn pick(rng: &mut impl Rng, from: &[&'static str]) -> &'static str {
    from.choose(rng).copied().unwrap_or_default()
}
