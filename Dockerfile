FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin pgvigil \
    && install -D target/release/pgvigil /out/pgvigil \
    && mkdir /out/state

# glibc, libgcc and the certificates of public authorities; no shell. `nonroot` is user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/pgvigil /usr/local/bin/pgvigil
COPY --from=build --chown=nonroot:nonroot /out/state /var/lib/pgvigil
ENV PGVIGIL_LISTEN=0.0.0.0:9187 PGVIGIL_STATE_DIR=/var/lib/pgvigil
VOLUME /var/lib/pgvigil
EXPOSE 9187
ENTRYPOINT ["/usr/local/bin/pgvigil"]
