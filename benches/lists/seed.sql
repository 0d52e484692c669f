-- People, clients and an audit log as a large installation has them, made by PostgreSQL itself.
-- {people}, {clients} and {events} are filled in; the schema is there and empty.

SET maintenance_work_mem = '512MB';

-- Indexes are made again when the rows are there: a tenth of the time.
CREATE TEMP TABLE indexes_to_make AS
  SELECT indexname, indexdef FROM pg_indexes
  WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey'
    AND tablename IN ('users', 'user_terms', 'identities', 'sessions', 'grants', 'consents',
                      'clients', 'events', 'sign_in_steps', 'deletions');
DO $$ DECLARE made record; BEGIN
  FOR made IN SELECT * FROM indexes_to_make LOOP
    EXECUTE format('DROP INDEX %I', made.indexname);
  END LOOP;
END $$;

CREATE TEMP TABLE words AS SELECT
  ARRAY['Ada','Alan','Amal','Anna','Barbara','Ben','Carla','Chen','Clara','David','Dina','Edsger',
        'Elena','Emma','Farid','Felix','Grace','Hana','Hugo','Ines','Jakob','Jana','Jonas','Karim',
        'Katherine','Lars','Lena','Lin','Luis','Maria','Mehmet','Mina','Noah','Nora','Olga','Omar',
        'Paula','Peter','Rosa','Samir','Sofia','Tarek','Tim','Uma','Vera','Wei','Yara','Zoe'] AS given,
  ARRAY['Adler','Ahmed','Baker','Becker','Chen','Costa','Dijkstra','Dubois','Eder','Fischer',
        'Garcia','Haddad','Hamilton','Hopper','Ito','Jensen','Johnson','Kim','Kowalski','Lamarr',
        'Lopez','Lovelace','Meyer','Moreau','Nakamura','Novak','Okafor','Park','Perez','Quinn',
        'Rossi','Sato','Schmidt','Silva','Tanaka','Turing','Ueda','Vogel','Wagner','Wang','Weber',
        'Yilmaz','Zimmermann'] AS family;

-- One in two hundred may not sign in; they came during three years.
INSERT INTO users (id, sub, name, given_name, family_name, email, email_verified, is_private_email,
                   claims, disabled_at, created_at, updated_at)
SELECT substr(md5('user' || i), 1, 22), substr(md5('sub' || i), 1, 22),
       given || ' ' || family, given, family,
       lower(given) || '.' || lower(family) || i || '@example.' ||
         (ARRAY['com', 'org', 'net'])[1 + i % 3],
       true, i % 3 = 0, '{}', CASE WHEN i % 200 = 0 THEN at END, at, at
FROM (SELECT i, (1800000000 - ({people} - i) * 94608000 / {people}) * 1000 AS at,
             words.given[1 + i % 48] AS given, words.family[1 + (i / 48) % 43] AS family
      FROM generate_series(1, {people}::bigint) AS i, words) AS person;

INSERT INTO user_terms (term, user_id, disabled)
SELECT DISTINCT term, id, CASE WHEN disabled_at IS NULL THEN 0 ELSE 1 END FROM users, LATERAL (VALUES
  (sub), (lower(email)), (split_part(lower(email), '@', 2)),
  (lower(name)), (lower(given_name)), (lower(family_name))) AS found (term);

INSERT INTO identities (authority, subject, user_id, connection_id, email, created_at, last_login_at)
SELECT 'apple:SEEDTEAM00', '000' || sub, id, 'apple', email, created_at, created_at FROM users;

INSERT INTO clients (client_id, client_name, kind, token_endpoint_auth_method, redirect_uris,
                     post_logout_redirect_uris, grant_types, scope, resources,
                     id_token_signed_response_alg, require_pkce, first_party, apple_bundle_ids,
                     require_native_challenge, refresh_token_idle_ttl, refresh_token_absolute_ttl,
                     created_at, updated_at, version)
SELECT 'client-' || i, (ARRAY['Orders', 'Payroll', 'Wiki', 'Shop', 'Tickets'])[1 + i % 5] || ' ' || i,
       'web', 'client_secret_basic', '["https://app' || i || '.example.com/callback"]', '[]',
       '["authorization_code","refresh_token"]', '["openid","profile","email"]', '[]', 'RS256',
       true, false, '[]', false, 2592000, 31536000, 1800000000000 - i, 1800000000000 - i, 1
FROM generate_series(1, {clients}::bigint) AS i;

-- Two of three were seen to obtain a token.
INSERT INTO client_observations (client_id, token_at, grant_type)
SELECT client_id, created_at, 'authorization_code' FROM clients WHERE created_at % 3 > 0;

-- A quarter of the people are signed in somewhere, and one session in three has ended.
INSERT INTO sessions (id, cookie_hash, user_id, auth_time, amr, connection_id, created_at,
                      expires_at, ended_at)
SELECT substr(md5('session' || id), 1, 22), decode(md5('a' || id) || md5('b' || id), 'hex'), id,
       created_at, '[]', 'apple', created_at, 4000000000000,
       CASE WHEN get_byte(decode(md5(id), 'hex'), 1) < 85 THEN created_at END
FROM users WHERE get_byte(decode(md5(id), 'hex'), 0) < 64;

INSERT INTO grants (id, client_id, user_id, terms, session_id, created_at, refresh_generation,
                    refresh_idle_expires_at, expires_at, connection_id)
SELECT substr(md5('grant' || user_id), 1, 22),
       'client-' || 1 + get_byte(cookie_hash, 0) % least({clients}, 256), user_id,
       json_build_object('sub', user_id, 'scope', json_build_array('openid'), 'resources',
                         json_build_array(), 'auth_time', created_at, 'amr', json_build_array())::text,
       id, created_at, 0, 4000000000000, 4000000000000, 'apple'
FROM sessions WHERE ended_at IS NULL;

-- The seed has no master key to make links with, so the places of its events lie before the first.
INSERT INTO events (at, kind, area, actor, target, request_id, detail, seq, chain_hash)
SELECT 1800000000000 - ({events} - i) * 9460,
       kind, split_part(kind, '.', 1),
       CASE WHEN kind = 'client.changed' THEN 'admin:operator' || i % 7
            WHEN kind = 'login.failed' THEN 'system'
            ELSE 'user:' || substr(md5('user' || 1 + (i * 7919) % {people}), 1, 22) END,
       CASE WHEN kind LIKE 'login.%' THEN 'apple' ELSE 'client-' || 1 + i % {clients} END,
       substr(md5('request' || i), 1, 16), '{"sid":"' || substr(md5('sid' || i), 1, 22) || '"}',
       i - {events} - 1, decode(md5('chain' || i) || md5('link' || i), 'hex')
FROM (SELECT i, (ARRAY['login.succeeded', 'login.succeeded', 'login.succeeded', 'consent.given',
                       'login.succeeded', 'session.ended', 'login.succeeded', 'login.failed',
                       'login.succeeded', 'grant.revoked'])[1 + i % 10] AS usual
      FROM generate_series(1, {events}::bigint) AS i) AS numbered,
     LATERAL (SELECT CASE WHEN i % 10007 = 0 THEN 'client.changed' ELSE usual END AS kind) AS chosen
ORDER BY i;

-- A quarter of the people signed in during the days for which steps are kept, in four steps each.
INSERT INTO sign_in_steps (sign_in, at, step)
SELECT substr(md5('sign-in' || i), 1, 22), 1800000000000 + i * 4000 + number * 700, step
FROM generate_series(1, {people}::bigint / 4) AS i,
     unnest(ARRAY['requested', 'departed', 'signed_in', 'redeemed']) WITH ORDINALITY AS one (step, number)
ORDER BY i, number;

INSERT INTO deletions (id, requested_by, state, attempts, requested_at, due_at, give_up_at,
                       completed_at)
SELECT substr(md5('deletion' || i), 1, 22), 'user:' || i, 'completed', 0, at, at, at, at
FROM (SELECT i, 1700000000000 + i * 60000 AS at
      FROM generate_series(1, {people}::bigint / 10) AS i) AS deletion;

INSERT INTO api_keys (id, name, hash, scope, created_by, created_at, expires_at)
SELECT substr(md5('key' || i), 1, 22), 'Script ' || i, decode(md5('a' || i) || md5('b' || i), 'hex'),
       '["clients:read"]', 'cli', 1700000000000 + i, 1800000000000
FROM generate_series(1, {clients}::bigint) AS i;

INSERT INTO registration_tokens (id, name, hash, uses_left, expires_at, created_at)
SELECT substr(md5('token' || i), 1, 22), 'Suite ' || i,
       decode(md5('c' || i) || md5('d' || i), 'hex'), 1, 4000000000000, 1700000000000 + i
FROM generate_series(1, {clients}::bigint) AS i;

INSERT INTO trusted_issuers (id, issuer, audience, client_id, conditions, scope, resources,
                             max_lifetime, single_use, created_at)
SELECT substr(md5('issuer' || i), 1, 22), 'https://ci' || i % 100 || '.example', 'https://id.example',
       'client-' || i, '[]', '[]', '[]', 600, true, 1700000000000 + i
FROM generate_series(1, {clients}::bigint) AS i;

DO $$ DECLARE made record; BEGIN
  FOR made IN SELECT * FROM indexes_to_make LOOP
    EXECUTE made.indexdef;
  END LOOP;
END $$;
DROP TABLE indexes_to_make, words;
ANALYZE;
