//! People of France. Given names and surnames are those of the crate `fake`; its towns and postcodes are drawn
//! independently of each other, so real ones stand here.

use super::Person;
use super::town::{Town, town};
use fake::Fake;
use fake::faker::name::raw::{FirstName, LastName};
use fake::locales::FR_FR;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

const KINDS: &[&str] = &[
    "rue",
    "rue",
    "rue",
    "avenue",
    "boulevard",
    "place",
    "impasse",
    "chemin",
    "allée",
];

const NAMES: &[&str] = &[
    "de la République",
    "Victor-Hugo",
    "de la Gare",
    "Jean-Jaurès",
    "de l’Église",
    "du Moulin",
    "des Écoles",
    "Pasteur",
    "Gambetta",
    "de la Mairie",
    "des Lilas",
    "du Général-Leclerc",
    "de la Fontaine",
    "du Château",
    "Émile-Zola",
    "Marie-Curie",
    "de Verdun",
    "Voltaire",
    "Jules-Ferry",
    "de la Liberté",
    "Saint-Michel",
    "des Tilleuls",
    "du Stade",
    "de la Paix",
];

/// Towns with their département; the first two digits of a postcode are its number.
#[rustfmt::skip]
pub const TOWNS: &[Town] = &[
    town("Ain", "Bourg-en-Bresse", (1000, 1000), 46.2052, 5.2255),
    town("Alpes-Maritimes", "Nice", (6000, 6000), 43.7034, 7.2663),
    town("Aube", "Troyes", (10000, 10000), 48.2973, 4.0744),
    town("Bouches-du-Rhône", "Marseille", (13001, 13016), 43.2965, 5.3698),
    town("Calvados", "Caen", (14000, 14000), 49.1829, -0.3707),
    town("Charente-Maritime", "La Rochelle", (17000, 17000), 46.1603, -1.1511),
    town("Cher", "Bourges", (18000, 18000), 47.0810, 2.3988),
    town("Côte-d’Or", "Dijon", (21000, 21000), 47.3220, 5.0415),
    town("Côtes-d’Armor", "Saint-Brieuc", (22000, 22000), 48.5142, -2.7658),
    town("Doubs", "Besançon", (25000, 25000), 47.2378, 6.0241),
    town("Finistère", "Brest", (29200, 29200), 48.3904, -4.4861),
    town("Finistère", "Quimper", (29000, 29000), 47.9960, -4.0964),
    town("Gard", "Nîmes", (30000, 30000), 43.8367, 4.3601),
    town("Haute-Garonne", "Toulouse", (31000, 31000), 43.6045, 1.4440),
    town("Gironde", "Bordeaux", (33000, 33000), 44.8378, -0.5792),
    town("Hérault", "Montpellier", (34000, 34000), 43.6108, 3.8767),
    town("Ille-et-Vilaine", "Rennes", (35000, 35000), 48.1173, -1.6778),
    town("Indre-et-Loire", "Tours", (37000, 37000), 47.3941, 0.6848),
    town("Isère", "Grenoble", (38000, 38000), 45.1885, 5.7245),
    town("Loire", "Saint-Étienne", (42000, 42000), 45.4397, 4.3872),
    town("Loire-Atlantique", "Nantes", (44000, 44000), 47.2184, -1.5536),
    town("Loiret", "Orléans", (45000, 45000), 47.9030, 1.9093),
    town("Maine-et-Loire", "Angers", (49000, 49000), 47.4784, -0.5632),
    town("Manche", "Cherbourg-en-Cotentin", (50100, 50100), 49.6337, -1.6221),
    town("Marne", "Reims", (51100, 51100), 49.2583, 4.0317),
    town("Meurthe-et-Moselle", "Nancy", (54000, 54000), 48.6921, 6.1844),
    town("Morbihan", "Vannes", (56000, 56000), 47.6582, -2.7608),
    town("Moselle", "Metz", (57000, 57000), 49.1193, 6.1757),
    town("Nord", "Lille", (59000, 59000), 50.6292, 3.0573),
    town("Nord", "Dunkerque", (59140, 59140), 51.0344, 2.3768),
    town("Oise", "Beauvais", (60000, 60000), 49.4295, 2.0807),
    town("Pas-de-Calais", "Calais", (62100, 62100), 50.9513, 1.8587),
    town("Puy-de-Dôme", "Clermont-Ferrand", (63000, 63000), 45.7772, 3.0870),
    town("Pyrénées-Atlantiques", "Pau", (64000, 64000), 43.2951, -0.3708),
    town("Pyrénées-Orientales", "Perpignan", (66000, 66000), 42.6887, 2.8948),
    town("Bas-Rhin", "Strasbourg", (67000, 67000), 48.5734, 7.7521),
    town("Haut-Rhin", "Mulhouse", (68100, 68100), 47.7508, 7.3359),
    town("Rhône", "Lyon", (69001, 69009), 45.7640, 4.8357),
    town("Sarthe", "Le Mans", (72000, 72000), 48.0061, 0.1996),
    town("Savoie", "Chambéry", (73000, 73000), 45.5646, 5.9178),
    town("Haute-Savoie", "Annecy", (74000, 74000), 45.8992, 6.1294),
    town("Paris", "Paris", (75001, 75020), 48.8566, 2.3522),
    town("Seine-Maritime", "Le Havre", (76600, 76600), 49.4944, 0.1079),
    town("Seine-Maritime", "Rouen", (76000, 76000), 49.4432, 1.0993),
    town("Yvelines", "Versailles", (78000, 78000), 48.8014, 2.1301),
    town("Somme", "Amiens", (80000, 80000), 49.8941, 2.2958),
    town("Tarn", "Albi", (81000, 81000), 43.9289, 2.1464),
    town("Var", "Toulon", (83000, 83000), 43.1242, 5.9280),
    town("Vaucluse", "Avignon", (84000, 84000), 43.9493, 4.8055),
    town("Vienne", "Poitiers", (86000, 86000), 46.5802, 0.3404),
    town("Haute-Vienne", "Limoges", (87000, 87000), 45.8336, 1.2611),
    town("Territoire de Belfort", "Belfort", (90000, 90000), 47.6380, 6.8629),
    town("Seine-Saint-Denis", "Saint-Denis", (93200, 93200), 48.9362, 2.3574),
];

/// A person by chance.
pub fn person(rng: &mut impl Rng) -> Person {
    let given: String = FirstName(FR_FR).fake_with_rng(rng);
    let surname: String = LastName(FR_FR).fake_with_rng(rng);
    let edad = rng.random_range(18..=80);
    let number = rng.random_range(1..=140);
    let kind = KINDS.choose(rng).copied().unwrap_or_default();
    let street = NAMES.choose(rng).copied().unwrap_or_default();
    let town = TOWNS[rng.random_range(0..TOWNS.len())];
    let cp = town.postcode(rng);
    let (longitud, latitud) = town.place(rng);
    Person {
        nombre: format!("{given} {surname}"),
        edad,
        calle: format!("{number} {kind} {street}"),
        ciudad: town.name.to_owned(),
        provincia: town.province.to_owned(),
        cp,
        longitud,
        latitud,
    }
}
