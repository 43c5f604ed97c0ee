"""Which of Asterisk's modules are left out, and why; the template writes them into modules.conf."""

from __future__ import annotations

_BY_REASON: dict[str, list[str]] = {
    "other telephone worlds": (
        "chan_audiosocket.so chan_console.so chan_iax2.so chan_motif.so chan_unistim.so chan_websocket.so "
        "res_websocket_client.so pbx_dundi.so app_sms.so app_alarmreceiver.so app_adsiprog.so app_getcpeid.so "
        "res_adsi.so app_mf.so app_sf.so app_zapateller.so"
    ).split(),
    "other ways to write a dialplan": (
        "pbx_ael.so res_ael_share.so pbx_lua.so pbx_realtime.so pbx_loopback.so pbx_spool.so"
    ).split(),
    "applications that run other people's programs or dictate": (
        "app_externalivr.so app_festival.so app_jack.so app_mp3.so app_dictate.so app_followme.so app_disa.so "
        "app_minivm.so app_voicemail.so app_voicemail_odbc.so app_directory.so app_sla.so app_page.so "
        "app_agent_pool.so app_audiosocket.so app_morsecode.so app_test.so app_stasis.so "
        "app_stasis_broadcast.so app_system.so func_shell.so"
    ).split(),
    "records of calls that the backend makes itself": (
        "cdr_adaptive_odbc.so cdr_csv.so cdr_custom.so cdr_manager.so cdr_odbc.so cdr_pgsql.so cdr_radius.so "
        "cdr_sqlite3_custom.so cdr_tds.so cel_custom.so cel_manager.so cel_odbc.so cel_pgsql.so cel_radius.so "
        "cel_sqlite3_custom.so cel_tds.so res_cdrel_custom.so app_celgenuserevent.so"
    ).split(),
    "databases": (
        "func_odbc.so res_odbc.so res_odbc_transaction.so res_config_curl.so res_config_ldap.so res_config_odbc.so "
        "res_config_pgsql.so res_config_sqlite3.so res_realtime.so func_realtime.so res_sorcery_realtime.so"
    ).split(),
    "the REST interface: the manager line does what is needed": (
        "res_ari.so res_ari_applications.so res_ari_asterisk.so res_ari_bridges.so res_ari_channels.so "
        "res_ari_device_states.so res_ari_endpoints.so res_ari_events.so res_ari_model.so res_ari_playbacks.so "
        "res_ari_recordings.so res_ari_sounds.so res_stasis.so res_stasis_answer.so res_stasis_broadcast.so "
        "res_stasis_device_state.so res_stasis_playback.so res_stasis_recording.so res_stasis_snoop.so "
        "res_stasis_test.so"
    ).split(),
    "calendars, messages, directories and speech engines": (
        "res_calendar.so res_calendar_caldav.so res_calendar_ews.so res_calendar_exchange.so "
        "res_calendar_icalendar.so res_xmpp.so res_snmp.so res_smdi.so res_speech_aeap.so res_aeap.so "
        "res_audiosocket.so res_phoneprov.so res_pjsip_phoneprov_provider.so res_curl.so func_curl.so "
        "res_http_media_cache.so res_http_post.so func_enum.so func_blacklist.so"
    ).split(),
    "measuring and tracing by other systems": (
        "res_hep.so res_hep_pjsip.so res_hep_rtcp.so res_statsd.so res_chan_stats.so res_endpoint_stats.so "
        "res_prometheus.so"
    ).split(),
    "SIP subscriptions, publications and the like: no telephone here uses them": (
        "res_pjsip_exten_state.so res_pjsip_mwi.so res_pjsip_mwi_body_generator.so "
        "res_pjsip_dialog_info_body_generator.so res_pjsip_pidf_body_generator.so "
        "res_pjsip_pidf_digium_body_supplement.so res_pjsip_pidf_eyebeam_body_supplement.so "
        "res_pjsip_xpidf_body_generator.so res_pjsip_outbound_publish.so res_pjsip_publish_asterisk.so "
        "res_pjsip_send_to_voicemail.so res_pjsip_one_touch_record_info.so res_pjsip_geolocation.so "
        "res_geolocation.so res_pjsip_config_wizard.so res_mwi_devstate.so res_pjsip_messaging.so "
        "res_pjsip_aoc.so res_pjsip_refer.so res_pjsip_stir_shaken.so res_stir_shaken.so "
        "res_pjsip_outbound_registration.so res_pjsip_endpoint_identifier_anonymous.so"
    ).split(),
    "the rest that needs configuration of its own": (
        "res_parking.so res_clialiases.so res_clioriginate.so res_stun_monitor.so res_resolver_unbound.so "
        "res_manager_presencestate.so res_timing_pthread.so"
    ).split(),
}

EARS = frozenset({"app_audiosocket.so", "res_audiosocket.so"})
"""By which the voice menu hears what callers say (dialplan/ear.conf), where it does."""
UNUSED: tuple[str, ...] = tuple(sorted({name for names in _BY_REASON.values() for name in names}))
