package example;

import java.util.Map;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.annotation.RegisteredOAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizationRequestResolver;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizationRequestCustomizers;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A web application that signs people in, and an API beside it, with Spring Security. */
@SpringBootApplication
@RestController
public class Application {
    public static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
    }

    @Bean
    @Order(1)
    SecurityFilterChain orders(HttpSecurity http) throws Exception {
        return http.securityMatcher("/api/**")
                .authorizeHttpRequests(all -> all.anyRequest().hasAuthority("SCOPE_orders:read"))
                .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
                .build();
    }

    @Bean
    @Order(2)
    SecurityFilterChain pages(HttpSecurity http, ClientRegistrationRepository clients) throws Exception {
        var resolver = new DefaultOAuth2AuthorizationRequestResolver(clients, "/oauth2/authorization");
        resolver.setAuthorizationRequestCustomizer(OAuth2AuthorizationRequestCustomizers.withPkce());
        var logout = new OidcClientInitiatedLogoutSuccessHandler(clients);
        logout.setPostLogoutRedirectUri("{baseUrl}/ready");
        return http.authorizeHttpRequests(
                        all -> all.requestMatchers("/ready").permitAll().anyRequest().authenticated())
                .oauth2Login(login -> login.authorizationEndpoint(at -> at.authorizationRequestResolver(resolver)))
                .logout(out -> out.logoutSuccessHandler(logout))
                .csrf(csrf -> csrf.disable())
                .build();
    }

    /** RFC 9068: the type is at+jwt, and the audience is the API. */
    @Bean
    JwtDecoder accessTokens(Environment environment) {
        var issuer = environment.getRequiredProperty("spring.security.oauth2.client.provider.russet.issuer-uri");
        var decoder = NimbusJwtDecoder.withIssuerLocation(issuer).validateType(false).build();
        decoder.setJwtValidator(JwtValidators.createAtJwtValidator()
                .issuer(issuer)
                .audience(environment.getRequiredProperty("API"))
                .clientId(environment.getRequiredProperty("CLIENT_ID"))
                .build());
        return decoder;
    }

    @GetMapping("/ready")
    String ready() {
        return "ready";
    }

    @GetMapping("/me")
    Map<String, Object> me(
            @AuthenticationPrincipal OidcUser user,
            @RegisteredOAuth2AuthorizedClient("russet") OAuth2AuthorizedClient client) {
        return Map.of(
                "iss", user.getIssuer().toString(),
                "sub", user.getSubject(),
                "name", user.getFullName(),
                "access_token", client.getAccessToken().getTokenValue());
    }

    @GetMapping("/api/orders")
    Map<String, Object> list(@AuthenticationPrincipal Jwt token) {
        return Map.of("sub", token.getSubject(), "scope", token.getClaimAsString("scope"));
    }
}
