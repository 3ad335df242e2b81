# Both programs in one image: `docker run … producer` or `docker run … consumer`.
FROM node:20-bookworm-slim AS node

FROM rust:1.95.0-slim-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p producer -p consumer

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data hookcast
COPY --from=build /src/target/release/producer /src/target/release/consumer /usr/local/bin/
# Everything that is kept is under /data; the embedded databases lie in /data/data.
WORKDIR /data
USER hookcast
VOLUME /data
EXPOSE 5000 5001
STOPSIGNAL SIGTERM
CMD ["consumer"]
