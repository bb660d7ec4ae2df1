//! The command line: its tree, its global options, and the way from arguments to an exit code.

use crate::commands::{self, Context};
use crate::failure::{Failure, Kind, Outcome};
use crate::nearest::nearest;
use crate::scripts;
use crate::ui::{Interrupt, OutputFormat};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Learn Kafka, run Kafka, use Kafka: one binary
#[derive(Debug, Parser)]
#[command(
    name = "velo",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    before_help = HOW_TO_BEGIN
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub command: Command,
}

/// What `velo` alone begins with.
const HOW_TO_BEGIN: &str = "\
To begin:
  velo cluster start     a Kafka cluster of your own on this machine
  velo lesson start      the course, step by step; --lang fr, es or en
  velo topic create NAME, velo produce NAME, velo consume NAME --from-beginning
  velo help COMMAND      what a command does, with all its options
  velo scripts install   Kafka's own script names, kafka-topics.sh and all others
";

/// Options that every command takes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Brokers to ask first [default: the current context, else the cluster of this machine that runs, else localhost:9092]
    #[arg(
        short,
        long,
        global = true,
        value_name = "HOST:PORT,…",
        env = "VELO_BOOTSTRAP_SERVER"
    )]
    pub bootstrap_server: Option<String>,
    /// Use this context instead of the current one, for one command
    ///
    /// Typed here it also wins over the address in VELO_BOOTSTRAP_SERVER; its own variable does not.
    #[arg(long, global = true, value_name = "NAME", env = "VELO_CONTEXT", add = commands::candidates::contexts())]
    pub context: Option<String>,
    /// Connection settings, by Java or librdkafka property names
    #[arg(long, global = true, value_name = "FILE", env = "VELO_COMMAND_CONFIG")]
    pub command_config: Option<PathBuf>,
    /// How to print data
    #[arg(short, long, global = true, value_name = "FORMAT", value_enum)]
    pub output: Option<OutputFormat>,
    /// Language of the course [default: the one it was begun in, else from the locale]
    #[arg(long, global = true, value_name = "LANG", value_enum, env = "VELO_LANG")]
    pub lang: Option<crate::i18n::Lang>,
    /// Say more on stderr; twice for librdkafka's own log
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start, stop and look at the classroom cluster of this machine
    #[command(subcommand)]
    Cluster(commands::cluster::ClusterCommand),
    /// Create, list, describe, alter and delete topics
    #[command(subcommand)]
    Topic(commands::topic::TopicCommand),
    /// List, describe, reset and delete consumer groups
    #[command(subcommand)]
    Group(commands::group::GroupCommand),
    /// List, describe and abort transactions of producers
    #[command(subcommand)]
    Transaction(commands::transaction::TransactionCommand),
    /// Settings of topics, brokers and groups
    #[command(subcommand)]
    Config(commands::config::ConfigCommand),
    /// Where each partition of a topic begins and ends
    Offsets(commands::offsets::OffsetsArgs),
    /// Delete old records
    #[command(subcommand)]
    Records(commands::records::RecordsCommand),
    /// Write lines as records to a topic
    Produce(commands::produce::ProduceCommand),
    /// Read records of topics
    Consume(commands::consume::ConsumeCommand),
    /// City bikes: produce the stations, monitor them, serve them over HTTP
    #[command(subcommand)]
    Velib(commands::velib::VelibCommand),
    /// The stations as a Storm topology: which become empty, and which are empty no longer
    #[command(subcommand)]
    Storm(commands::storm::StormCommand),
    /// Trips of vehicles: produce their packets, put them together of chunks, divide streams into sessions
    #[command(subcommand)]
    Trips(commands::trips::TripsCommand),
    /// Made-up people, and the way into MongoDB
    #[command(subcommand)]
    People(commands::people::PeopleCommand),
    /// Topics into MongoDB
    #[command(subcommand)]
    Mongo(commands::mongo::MongoCommand),
    /// Take the course's lessons, or watch them play
    Lesson(commands::lesson::LessonArgs),
    /// Answer the lessons' questions
    Quiz(commands::quiz::QuizArgs),
    /// Remember clusters by name
    #[command(subcommand)]
    Context(commands::contexts::ContextCommand),
    /// Use Kafka's own script names
    #[command(subcommand)]
    Scripts(commands::scripts::ScriptsCommand),
    /// Look for what is odd on this machine and on the cluster
    Doctor,
    /// Say what is likely behind a group, a topic or a connection that does not do what is expected
    #[command(subcommand)]
    Why(commands::why::WhyCommand),
    /// Print what a shell needs to complete `velo`
    Completions(commands::completions::CompletionsArgs),
}

impl Cli {
    /// What somebody typed, the first word being the program's name, with `help` wherever it may stand.
    ///
    /// # Errors
    /// clap's own words for what is wrong.
    pub fn typed(words: &[String]) -> Result<Self, clap::Error> {
        let words = words.iter().map(OsString::from).collect();
        Self::try_parse_from(asking_for_help(meaning_a_topic(words)))
    }
}

impl Global {
    /// The options as they are meant together: a context that is typed wins over the address of the environment, since it
    /// was meant for this one command; two clusters typed are a slip.
    ///
    /// # Errors
    /// When both a context and an address are typed.
    fn settled(&self, matches: &ArgMatches, command: &Command) -> Outcome<Self> {
        let typed = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        let mut settled = self.clone();
        if typed("context") {
            if typed("bootstrap_server") {
                return Err(
                    Failure::usage("--bootstrap-server and --context name two clusters")
                        .hint("leave one of them out"),
                );
            }
            settled.bootstrap_server = None;
        } else if command.manages_contexts() {
            // Whoever mends the contexts is not stopped by a variable that names none of them.
            settled.context = None;
        }
        Ok(settled)
    }
}

impl Command {
    /// Whether the command asks a cluster and ends with its answers, so that nothing but an answer is waited for.
    fn is_an_exchange(&self) -> bool {
        matches!(
            self,
            Command::Topic(_)
                | Command::Group(_)
                | Command::Transaction(_)
                | Command::Config(_)
                | Command::Offsets(_)
                | Command::Records(_)
                | Command::Doctor
                | Command::Why(_)
        )
    }

    /// Whether the command is about the contexts themselves, and not about the cluster of one of them.
    fn manages_contexts(&self) -> bool {
        use commands::contexts::ContextCommand;
        matches!(self, Command::Context(command) if !matches!(command, ContextCommand::Show(_)))
    }

    fn run(self, context: &Context) -> Outcome {
        match self {
            Command::Cluster(command) => command.run(context),
            Command::Completions(args) => commands::completions::run(&args, context),
            Command::Consume(command) => command.run(context),
            Command::Context(command) => command.run(context),
            Command::Scripts(command) => command.run(context),
            Command::Doctor => commands::doctor::run(context),
            Command::Lesson(args) => args.run(context),
            Command::Quiz(args) => commands::quiz::run(&args, context),
            Command::People(command) => command.run(context),
            Command::Produce(command) => command.run(context),
            Command::Topic(command) => command.run(context),
            Command::Group(command) => command.run(context),
            Command::Transaction(command) => command.run(context),
            Command::Config(command) => command.run(context),
            Command::Offsets(args) => commands::offsets::run(&args, context),
            Command::Records(command) => command.run(context),
            Command::Mongo(command) => command.run(context),
            Command::Storm(command) => command.run(context),
            Command::Trips(command) => command.run(context),
            Command::Velib(command) => command.run(context),
            Command::Why(command) => command.run(context),
        }
    }
}

/// Runs one command line, `arguments[0]` being the program's name.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    crate::panics::explain();
    if let Some(code) = run_script(arguments.first().and_then(program_name), arguments.get(1..)) {
        return ExitCode::from(code);
    }
    commands::completions::answer();
    let arguments = asking_for_help(meaning_a_topic(arguments));
    if let Some(code) = run_script(
        arguments.get(1).and_then(|word| word.to_str()),
        arguments.get(2..),
    ) {
        return ExitCode::from(code);
    }
    let (matches, cli) = match parse(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            // clap prints help and version to stdout, mistakes to stderr; a closed pipe is no failure.
            let _ = error.print();
            suggest_a_script(&error, &arguments);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Kind::Usage.exit_code()));
        }
    };
    crate::ui::log::start(cli.global.verbose);
    Interrupt::end_the_line();
    let ended = cli
        .global
        .settled(&matches, &cli.command)
        .and_then(Context::new)
        .and_then(|context| {
            let _waiting = cli.command.is_an_exchange().then(|| waiting(&context));
            cli.command
                .run(&context)
                .map_err(|failure| context.advise(failure))
        });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

/// A script's name that is nearly one: clap knows the verbs alone.
fn suggest_a_script(error: &clap::Error, arguments: &[OsString]) {
    let word = arguments
        .get(1)
        .and_then(|word| word.to_str())
        .unwrap_or_default();
    let meant = ["kafka", "zookeeper"]
        .iter()
        .any(|family| word.starts_with(family));
    let names = scripts::SCRIPTS.iter().map(|script| script.name);
    if error.kind() == ErrorKind::InvalidSubcommand
        && meant
        && let Some(near) = nearest(word, names)
    {
        eprintln!("\nhint: did you mean `{near}`? `velo scripts list` shows all");
    }
}

/// Reads a command line.
fn parse(arguments: &[OsString]) -> Result<(ArgMatches, Cli), clap::Error> {
    let read = |command: clap::Command| command.try_get_matches_from(arguments);
    // `VELO_LANG= velo …` is how a shell takes a variable away for one command.
    let emptied = std::env::vars_os().any(|(name, value)| is_ours(&name) && value.is_empty());
    let command = match emptied {
        true => without(Cli::command(), |name| {
            std::env::var_os(name).is_some_and(|value| value.is_empty())
        }),
        false => Cli::command(),
    };
    let matches = match read(command) {
        // clap takes what the environment gives for something that was typed, and `velo topic` for half a command.
        Err(error) if error.kind() == ErrorKind::MissingSubcommand => {
            return Err(read(without(Cli::command(), |_| true)).err().unwrap_or(error));
        }
        read => read?,
    };
    let cli = Cli::from_arg_matches(&matches)?;
    Ok((matches, cli))
}

/// Whether the environment says something to this program by that name.
fn is_ours(variable: &OsStr) -> bool {
    variable.to_str().is_some_and(|name| name.starts_with("VELO_"))
}

/// The same command, which only tells of these variables and does not read them.
fn without(command: clap::Command, deaf_to: fn(&OsStr) -> bool) -> clap::Command {
    let deaf = command.mut_args(|argument| {
        let Some(variable) = argument
            .get_env()
            .filter(|name| deaf_to(name))
            .map(|name| name.to_string_lossy().into_owned())
        else {
            return argument;
        };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        argument
            .env(None::<&str>)
            .help(format!("{help} [env: {variable}=]"))
    });
    deaf.mut_subcommands(|command| without(command, deaf_to))
}

/// `velo trips assemble --output trips` is `velo trips assemble --to trips`: a topic, for no format is called so.
fn meaning_a_topic(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let programs = ["assemble", "sessions"];
    let is_program = |pair: &[OsString]| pair[0] == "trips" && programs.iter().any(|name| pair[1] == *name);
    let Some(at) = arguments.windows(2).position(is_program) else {
        return arguments;
    };
    let is_format = |word: &str| OutputFormat::from_str(word, false).is_ok();
    for place in at + 2..arguments.len() {
        let next = arguments.get(place + 1).and_then(|word| word.to_str());
        let topic_follows = next.is_some_and(|next| !is_format(next));
        let Some(argument) = arguments.get_mut(place) else {
            break;
        };
        if argument == "--output" && topic_follows {
            *argument = "--to".into();
        } else if let Some(value) = argument.to_str().and_then(|word| word.strip_prefix("--output="))
            && !is_format(value)
        {
            *argument = format!("--to={value}").into();
        }
    }
    arguments
}

/// `velo help topic create` is `velo topic create --help`, and so is `velo topic help create`.
fn asking_for_help(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is_noun = |word: &OsString| {
        let commands = Cli::command();
        let noun = word.to_str().and_then(|word| commands.find_subcommand(word));
        noun.is_some_and(clap::Command::has_subcommands)
    };
    let asked = |at: usize| arguments.get(at).is_some_and(|word| word == "help");
    let at = match arguments.get(1) {
        Some(_) if asked(1) => 1,
        Some(first) if asked(2) && is_noun(first) => 2,
        _ => return arguments,
    };
    arguments.remove(at);
    arguments.push("--help".into());
    arguments
}

fn waiting(context: &Context) -> crate::ui::wait::Wait {
    let bootstrap = context.connection.bootstrap();
    context.ui.waiting_for(format!("an answer from {bootstrap}"))
}

/// The script face: the program is called by a script's name, or the first word is one. Its exit code, if so.
fn run_script(name: Option<&str>, arguments: Option<&[OsString]>) -> Option<u8> {
    let words: Vec<String> = arguments
        .unwrap_or_default()
        .iter()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    scripts::run_named(name?, &words)
}

/// What the program is called by.
fn program_name(path: &OsString) -> Option<&str> {
    Path::new(path).file_name()?.to_str()
}

fn report(failure: &Failure) -> ExitCode {
    if failure.kind() == Kind::Interrupted {
        return ExitCode::from(Interrupt::exit_code());
    }
    crate::ui::output::tell(failure);
    ExitCode::from(failure.kind().exit_code())
}
