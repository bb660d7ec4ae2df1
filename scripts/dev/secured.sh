# Sourced by real-kafka: what a secured Apache Kafka needs. Keys are made at each start and live as long as the cluster.
#   SASL_SSL        TLS, then a login by SCRAM-SHA-256, SCRAM-SHA-512, PLAIN or OAUTHBEARER (unsigned tokens)
#   SSL             TLS, and a certificate of the client's
#   SASL_PLAINTEXT  a login by PLAIN or SCRAM, no TLS
# alice's password is `alice's secret`. An authorizer keeps access control lists; who logs in nowhere may do everything, others
# what no list forbids them.

plain_jaas="org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"alice's secret\";"
scram_jaas='org.apache.kafka.common.security.scram.ScramLoginModule required;'
scram_users=(
  --add-scram "SCRAM-SHA-256=[name=alice,password=\"alice's secret\"]"
  --add-scram "SCRAM-SHA-512=[name=alice,password=\"alice's secret\"]"
)

# make_secrets DIR: an authority (ca.pem), another that signed nothing (other-ca.pem), the broker's key with a certificate
# for localhost, a client's, and the authority in every kind of store that Java knows.
make_secrets() {
  mkdir -p "$1"
  (
    cd "$1"
    authority() { # NAME SUBJECT
      openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$2" -keyout "$1.key" -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
    }
    signed() { # NAME SUBJECT EXTENSIONS
      openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$1.csr"
      openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.crt" \
        -extfile <(printf '%s\n' "$3")
      openssl pkcs12 -export -in "$1.crt" -inkey "$1.key" -name "$1" -passout pass:changeit -out "$1.p12"
      cat "$1.key" "$1.crt" > "$1.pem"
    }
    authority ca "Velodrome test authority"
    authority other-ca "Another authority"
    signed broker broker subjectAltName=DNS:localhost
    signed client client extendedKeyUsage=clientAuth
    openssl pkcs8 -topk8 -in client.key -passout pass:locked -out client-locked.key
    cat client-locked.key client.crt > client-locked.pem
    # LibreSSL knows no other way than the traditional one.
    openssl rsa -in client.key -traditional -aes128 -passout pass:locked -out client-old.key \
      || openssl rsa -in client.key -aes128 -passout pass:locked -out client-old.key
    keytool -importkeystore -noprompt -srckeystore client.p12 -srcstorepass changeit -destkeystore client-old.p12 \
      -deststoretype PKCS12 -deststorepass changeit -J-Dkeystore.pkcs12.legacy=true
    store() { keytool -importcert -noprompt -alias ca -file ca.pem -storepass changeit -keystore "$1" -storetype "$2"; }
    store trust.p12 PKCS12
    store trust.jks JKS
    keytool -importkeystore -noprompt -srckeystore client.p12 -srcstorepass changeit -destkeystore client.jks \
      -deststoretype JKS -deststorepass changeit
  ) >"$1/making.log" 2>&1 || { cat "$1/making.log" >&2; return 1; }
}

# secured_properties DIR: the settings of the three listeners.
secured_properties() {
  cat <<PROPERTIES
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
ssl.keystore.location=$1/broker.p12
ssl.keystore.password=changeit
ssl.keystore.type=PKCS12
ssl.truststore.location=$1/ca.pem
ssl.truststore.type=PEM
listener.name.ssl.ssl.client.auth=required
listener.name.sasl_ssl.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN,OAUTHBEARER
listener.name.sasl_plaintext.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
PROPERTIES
  local listener
  for listener in sasl_ssl sasl_plaintext; do
    printf '%s\n' "listener.name.$listener.plain.sasl.jaas.config=$plain_jaas" \
      "listener.name.$listener.scram-sha-256.sasl.jaas.config=$scram_jaas"
  done
  printf '%s\n' "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=$scram_jaas" \
    "listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";"
}
