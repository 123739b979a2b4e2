#!/usr/bin/env bash
# Makes the secrets of deploy/compose*.yaml in deploy/secrets/: random, once. What is there stays.
#
# The files are readable by everybody, because the containers' users are not yours; the folder is yours alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
umask 077
mkdir -p secrets

# write NAME: standard input becomes secrets/NAME, as a whole.
write() {
  cat >"secrets/.$1"
  chmod 444 "secrets/.$1"
  mv "secrets/.$1" "secrets/$1"
}

random() { head --bytes=24 /dev/urandom | base64 --wrap=0 | tr '+/' '-_'; } # safe in URLs and in rabbitmq.conf

if [ ! -e secrets/broker_url ] || [ ! -e secrets/rabbitmq_user.conf ]; then
  password=$(random)
  printf 'default_user = polylip\ndefault_pass = %s\n' "$password" | write rabbitmq_user.conf
  printf 'amqp://polylip:%s@rabbitmq:5672/%%2F\n' "$password" | write broker_url
fi
if [ ! -e secrets/database_url ] || [ ! -e secrets/postgres_password ]; then
  password=$(random)
  printf '%s' "$password" | write postgres_password
  printf 'postgresql+psycopg://polylip:%s@postgres:5432/polylip\n' "$password" | write database_url
fi
if [ ! -e secrets/webhook_secret ]; then
  printf 'whsec_%s\n' "$(head --bytes=32 /dev/urandom | base64 --wrap=0)" | write webhook_secret
fi
printf 'secrets are in %s\n' "$PWD/secrets"
