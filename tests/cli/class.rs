//! `velo cluster start --class` and `velo context join`: what a teacher writes on the board, and what a student types.

use crate::support::velo::Home;

/// What the teacher is told to write on the board.
fn written_on_the_board(said: &str) -> Vec<String> {
    let line = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("velo context join "));
    let address = line.unwrap_or_else(|| panic!("{said}"));
    vec!["context".to_owned(), "join".to_owned(), address.to_owned()]
}

#[test]
fn what_stands_on_the_board_is_what_a_student_joins_with() {
    let teacher = Home::new();
    let start = ["cluster", "start", "--port", "0", "--class", "--lang", "en"];
    let said = teacher.velo(&start).succeeds().stderr;
    assert!(said.contains("read, write and delete everything"), "{said}");
    assert!(said.contains("velo lesson board"), "{said}");
    let line = written_on_the_board(&said);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    assert!(
        !line[2].starts_with("localhost") && !line[2].starts_with("127."),
        "{line:?}"
    );

    let student = Home::new();
    let joined = student
        .velo(&[&line[..], &["--lang", "en"]].concat())
        .succeeds()
        .stderr;
    assert!(joined.contains("answers, with 1 broker."), "{joined}");
    assert!(
        joined.contains("  velo lesson start --student NAME --class"),
        "{joined}"
    );
    student.velo(&["topic", "create", "of-the-student"]).succeeds();
    let seen = teacher.velo(&["topic", "list", "-o", "plain"]).succeeds().stdout;
    assert!(seen.contains("of-the-student"), "{seen}");
    assert_eq!(
        student.velo(&["context", "list"]).succeeds().stdout,
        format!("* class  {}\n", line[2])
    );

    // Once more it says the same, in the language that is asked for; a restart too is for the class.
    let again = teacher
        .velo(&["cluster", "start", "--class", "--lang", "fr"])
        .succeeds()
        .stderr;
    assert!(again.contains("À écrire au tableau"), "{again}");
    assert_eq!(written_on_the_board(&again)[2], line[2]);
    let restarted = teacher
        .velo(&["cluster", "restart", "--lang", "es"])
        .succeeds()
        .stderr;
    assert!(restarted.contains("Escribe esto en la pizarra"), "{restarted}");
}

#[test]
fn a_cluster_that_is_open_already_is_one_for_the_class_and_one_that_is_not_says_so() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let refused = home.velo(&["cluster", "start", "--class"]).fails_with(1).stderr;
    assert!(refused.contains("already runs, without --class"), "{refused}");
    assert!(refused.contains("velo cluster start --class"), "{refused}");
    home.velo(&["cluster", "stop"]).succeeds();
    let open = home
        .velo(&["cluster", "start", "--listen-anyone"])
        .succeeds()
        .stderr;
    assert!(open.contains("The class types: export"), "{open}");
    let class = home
        .velo(&["cluster", "start", "--class", "--lang", "en"])
        .succeeds()
        .stderr;
    written_on_the_board(&class);
}

#[test]
fn nothing_is_joined_that_does_not_answer() {
    let home = Home::new();
    home.velo(&["context", "add", "class", "-b", "127.0.0.1:1"])
        .succeeds();
    let refused = home
        .velo(&["context", "join", "127.0.0.1:2"])
        .fails_with(3)
        .stderr;
    assert!(refused.contains("127.0.0.1:2"), "{refused}");
    assert!(
        refused.contains("hint: velo doctor -b 127.0.0.1:2\n"),
        "{refused}"
    );
    assert_eq!(
        home.velo(&["context", "list"]).succeeds().stdout,
        "* class  127.0.0.1:1\n"
    );
    home.velo(&["context", "join", "nowhere:x"]).fails_with(2);
}

#[test]
fn another_class_takes_the_place_of_the_last_and_says_what_that_was() {
    let home = Home::new();
    home.velo(&["context", "add", "class", "-b", "127.0.0.1:1"])
        .succeeds();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let at = home.bootstrap();
    let mut command = home.command(&["context", "join", &at, "--lang", "en"]);
    let output = command
        .env("VELO_BOOTSTRAP_SERVER", "127.0.0.1:3")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Before, `class` was 127.0.0.1:1."), "{said}");
    assert!(said.contains("unset VELO_BOOTSTRAP_SERVER"), "{said}");
    assert_eq!(
        home.velo(&["context", "list"]).succeeds().stdout,
        format!("* class  {at}\n")
    );
}
